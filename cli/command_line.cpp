#include "command_line.h"

#include <sluice/abi.h>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "command_notes.h"
#include "control_command.h"
#include "new_command.h"
#include "serve_notes.h"
#include "serve_options.h"
#include "spelling.h"
#include "text_layout.h"
#include "tried_words.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kHelpColumn = 30;

// CLI11's help, with lines that fit a terminal of 80 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    const std::string name = make_option_name(option, is_positional) + make_option_opts(option);
    return hanging("  " + name, kHelpColumn, make_option_desc(option));
  }
  // The default puts two empty lines between groups; this puts one.
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    return CLI::Formatter::make_group(std::move(group), is_positional, std::move(options)).substr(1);
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    return CLI::Formatter::make_usage(app, std::move(name)) + '\n';
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return hanging("  " + command->get_name(), kHelpColumn, command->get_description());
  }
};

// Adds the option to `app`. `given` gets the texts that a person gives for it.
void add_option(CLI::App& app, const ServeOption& option, OptionTexts& given) {
  const std::string flag = std::string("--") + option.name;
  const CLI::callback_t note = [&given, &option, flag](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) given[option.name].push_back({text, flag});
    return true;
  };
  std::string help = option.help;
  if (option.fallback != nullptr) help += " [" + option.fallback() + "]";
  if (option.takes == Takes::flag) {
    app.add_flag_callback(
           flag, [note] { note({"on"}); }, help)
        ->group(option.group);
    return;
  }
  CLI::Option* added = app.add_option(flag, note, help);
  added->group(option.group)->option_text(option.argument)->type_name(option.argument);
  if (option.takes == Takes::values) added->take_all()->allow_extra_args(false);
}

// Adds a subcommand for each word of the name: "reload", or "module enable" with an argument.
void add_control_command(CLI::App& app, const ControlCommandLine& command, CommandLine& result) {
  CLI::App* added = &app;
  std::istringstream words(command.name);
  for (std::string word; words >> word;) {
    if (added != &app) added->require_subcommand(1);
    const auto known = added->get_subcommands([&](const CLI::App* other) { return other->get_name() == word; });
    added = known.empty() ? added->add_subcommand(word, kModuleHelp) : known.front();
  }
  added->description(command.help);
  add_option(*added, *find_serve_option("control"), result.given);
  if (command.argument != nullptr)
    added->add_option(command.argument, result.request)->required()->option_text(" ");
  if (command.as_json != nullptr) {
    added->add_flag_callback(
        "--json",
        [&result] {
          result.given["json"] = {{"on", "--json"}};
        },
        "Print it as JSON, with all that is known");
  }
  added->callback([&result, &command] {
    result.command = CommandLine::Command::control;
    const char* name = result.given.contains("json") ? command.as_json : command.name;
    result.request = name + (result.request.empty() ? "" : " " + result.request);
  });
}

// Adds `sluice new KIND NAME [--folder DIR]` to `app`, for each kind.
void add_new(CLI::App& app, CommandLine& result) {
  CLI::App& what = *app.add_subcommand("new", "Begin a project of your own");
  what.require_subcommand(1);
  const auto note = [&result](const char* name) {
    return [&result, name](const std::string& text) { result.given[name] = {{text, name}}; };
  };
  for (const NewKind& kind : new_kinds()) {
    CLI::App& module = *what.add_subcommand(kind.name, kind.about);
    module.add_option_function<std::string>("NAME", note("name"), "The module's name, and the file's: NAME.so")
        ->required();
    module.add_option_function<std::string>("--folder", note("folder"), "The folder to make [NAME]")
        ->option_text("DIR");
    module.callback([&result, &kind] {
      result.command = CommandLine::Command::new_module;
      result.given["kind"] = {{kind.name, "new"}};
    });
  }
}

// Adds `sluice explain [METHOD] URL` and its options to `app`.
void add_explain(CLI::App& app, CommandLine& result) {
  CLI::App& explain =
      *app.add_subcommand("explain", "Ask the running server what it answers to a request, and why");
  const auto note = [&result](const std::string& name) {
    return [&result, name](const CLI::results_t& texts) {
      for (const std::string& text : texts) result.given[name].push_back({text, "--" + name});
      return true;
    };
  };
  explain
      .add_option("URL", note("request"),
                  "http://NAME/PATH, https://NAME/PATH or /PATH; a method may stand before it")
      ->required()
      ->expected(1, 2)
      ->allow_extra_args()
      ->option_text(" ");
  explain.add_option("-H,--field", note("field"), "A field of the request: 'NAME: VALUE'; repeatable")
      ->option_text("FIELD")
      ->type_name("FIELD")
      ->take_all()
      ->allow_extra_args(false);
  explain.add_option("--from", note("from"), "The client's address [127.0.0.1]")
      ->option_text("ADDRESS")
      ->type_name("ADDRESS");
  explain.add_flag_callback(
      "--json", [note] { note("json")({"on"}); }, "Print it as JSON");
  explain
      .add_option("--config", note("config"),
                  "Ask no server, but say what one that starts with this file would answer")
      ->option_text("FILE")
      ->type_name("FILE");
  add_option(explain, *find_serve_option("control"), result.given);
  explain.footer(kExplainFooter);
  explain.callback([&result] { result.command = CommandLine::Command::explain; });
}

// Adds `sluice manual [COMMAND]` and its options to `app`.
void add_manual(CLI::App& app, CommandLine& result) {
  CLI::App& manual = *app.add_subcommand("manual", "Print the manual page of a command, for man");
  const auto note = [&result](const char* name) {
    return [&result, name](const std::string& text) { result.given[name] = {{text, name}}; };
  };
  manual.add_option_function<std::string>("COMMAND", note("command"), "The command [sluice itself]")
      ->option_text(" ");
  CLI::Option* folder = manual.add_option_function<std::string>(
      "--folder", note("folder"), "Write the pages of all commands into this folder");
  folder->option_text("DIR");
  manual
      .add_flag_callback(
          "--markdown", [note] { note("markdown")("on"); }, "Print the options of 'sluice serve' as Markdown")
      ->excludes(folder);
  manual.callback([&result] { result.command = CommandLine::Command::manual; });
}

// Adds `sluice check FILE.so` and its options to `app`.
CLI::App& add_check(CLI::App& app, OptionTexts& given) {
  CLI::App& check = *app.add_subcommand("check", "Find out what is wrong with a module before users do");
  const auto note = [&given](const std::string& name) {
    return [&given, name](const CLI::results_t& texts) {
      for (const std::string& text : texts) given[name].push_back({text, "--" + name});
      return true;
    };
  };
  const auto add = [&](const std::string& name, const char* argument, const char* help) {
    return check.add_option("--" + name, note(name), help)->option_text(argument)->type_name(argument);
  };
  check.add_option("FILE", note("file"), "The module: the file that the build made")
      ->required()
      ->option_text(" ");
  add("option", "KEY=VALUE", "An option of the mount; repeatable")->take_all()->allow_extra_args(false);
  add("root", "DIR", "The folder that the mount serves [one with samples]");
  add("user", "NAME", "Check as this user [www-data when started as root]");
  add("request", "PATH", "Also ask for this path below the mount; repeatable")
      ->take_all()
      ->allow_extra_args(false);
  add("handler-timeout", "TIME", "How long a deferred answer may take [5s]");
  add("step-timeout", "TIME", "How long one step of the check may take [1m]");
  CLI::Option* json = check.add_flag_callback(
      "--json", [note] { note("json")({"on"}); }, "Write the report as JSON");
  check
      .add_flag_callback(
          "--junit", [note] { note("junit")({"on"}); }, "Write the report as JUnit's XML")
      ->excludes(json);
  check.footer(kCheckFooter);
  return check;
}

std::string version_line() {
  return fmt::format("sluice " SLUICE_VERSION ", module ABI {}.{}", kAbiMajor, kAbiMinor);
}

std::string without_dashes(const std::string& name) {
  return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

// A suggestion in place of a word that the command does not know.
std::string meant_by(const std::string& word, bool is_option, const CLI::App& command,
                     const std::string& command_name) {
  const bool is_program = command.get_parent() == nullptr;
  const bool serves = is_program || command.get_name() == "serve";
  const std::string without = without_dashes(word);
  const auto advice = is_option && serves        ? advice_on_option(without)
                      : !is_option && is_program ? advice_on_command(without)
                                                 : std::nullopt;
  if (advice) return std::string(*advice);
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) names.push_back(option->get_name());
  for (const CLI::App* other : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(other->get_name());
  std::vector<std::string> bare(names.size());
  std::transform(names.begin(), names.end(), bare.begin(), without_dashes);
  if (const auto likely = likely_word(without, {bare.begin(), bare.end()})) {
    const auto at = std::find(bare.begin(), bare.end(), *likely) - bare.begin();
    return fmt::format("did you mean '{}'?", names[static_cast<std::size_t>(at)]);
  }
  std::vector<std::string_view> of_serve;
  for (const ServeOption& option : serve_options()) {
    if (is_on_command_line(option)) of_serve.emplace_back(option.name);
  }
  if (const auto likely = likely_word(without, of_serve); likely && is_program && is_option)
    return fmt::format("did you mean 'sluice serve --{}'?", *likely);
  // Other servers take a folder, a port or an address without an option.
  if (!is_option && serves) {
    std::error_code ignored;
    if (std::filesystem::is_directory(word, ignored))
      return fmt::format("to serve that folder, write 'sluice serve --root {}'", printable(word));
    const std::string address = word.find(':') == std::string::npos ? "127.0.0.1:" + word : word;
    if (parse_decimal(address.substr(address.rfind(':') + 1)).value_or(65536) <= 65535)
      return fmt::format("to listen there, write 'sluice serve --listen {}'", printable(address));
  }
  return fmt::format("see '{} --help'", command_name);
}

// "sluice new handler"
std::string command_given(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* command = &app; !command->get_subcommands().empty();) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return name;
}

// A message about the first argument that no command takes, with a suggestion; empty when there is none.
// CLI11's own message would only say that a subcommand is missing, or list such arguments.
std::string unknown_argument(const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining(true);
  const auto first =
      std::find_if(unknown.begin(), unknown.end(), [](const std::string& each) { return each != "--"; });
  if (first == unknown.end()) return "";
  const bool is_option = first->starts_with('-');
  const std::string word = is_option ? first->substr(0, first->find('=')) : *first;
  const std::string command_name = command_given(app);
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return fmt::format("sluice: '{}' is not known to {}: {}\n", printable(word), command_name,
                     meant_by(word, is_option, *command, command_name));
}

CommandLine answer(const CLI::App& app, const CLI::ParseError& error) {
  CommandLine result;
  std::ostringstream out;
  std::ostringstream err;
  result.exit_code = app.exit(error, out, err);
  result.standard_output = out.str();
  result.standard_error = err.str();
  if (result.exit_code == 0) return result;
  result.standard_error = unknown_argument(app);
  if (!result.standard_error.empty()) return result;
  std::string why = err.str();
  why.resize(std::min(why.find('\n'), why.size()));
  result.standard_error = fmt::format("sluice: {}: see '{} --help'\n", printable(why), command_given(app));
  return result;
}

// Adds the commands of the program to `app`. What a person gives goes into `result`.
void add_commands(CLI::App& app, CommandLine& result) {
  const auto chooses = [&result](CommandLine::Command command) {
    return [&result, command] { result.command = command; };
  };
  CLI::App& serve = *app.add_subcommand("serve", "Serve files, and whatever other modules offer");
  serve.footer(kServeNotes);
  for (const ServeOption& option : serve_options()) {
    if (is_on_command_line(option)) add_option(serve, option, result.given);
  }
  serve.callback(chooses(CommandLine::Command::serve));
  CLI::App& modules =
      *app.add_subcommand("modules", "List the modules, their options, and why one cannot be loaded");
  add_option(modules, *find_serve_option("plugins"), result.given);
  modules.callback(chooses(CommandLine::Command::modules));
  add_manual(app, result);
  for (const ControlCommandLine& command : control_commands()) add_control_command(app, command, result);
  add_explain(app, result);
  CLI::App& top = *app.add_subcommand("top", "Show again and again what the running server does; ends with q");
  add_option(top, *find_serve_option("control"), result.given);
  top.callback(chooses(CommandLine::Command::top));
  add_new(app, result);
  add_check(app, result.given).callback(chooses(CommandLine::Command::check));
  CLI::App& completions =
      *app.add_subcommand("completions", "Print a script by which a shell completes commands");
  completions.require_subcommand(1);
  completions.add_subcommand("bash", "For bash")->callback(chooses(CommandLine::Command::bash_completions));
  completions.add_subcommand("zsh", "For zsh")->callback(chooses(CommandLine::Command::zsh_completions));
}

std::string with_blanks(std::string names) {
  const std::size_t comma = names.find(',');
  return comma == std::string::npos ? names : names.replace(comma, 1, ", ");
}

CommandWords words_of(const CLI::App& app) {
  CommandWords words;
  words.name = app.get_name();
  words.help = app.get_description();
  words.notes = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      words.argument = option->get_name();
      words.argument_help = option->get_description();
      words.argument_is_needed = option->get_required();
    } else {
      const bool is_flag = option->get_items_expected_max() == 0;
      words.options.push_back({option->get_name(), with_blanks(option->get_name(false, true)),
                               is_flag ? "" : option->get_option_text(), option->get_description(),
                               option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll});
    }
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; }))
    words.commands.push_back(words_of(*below));
  return words;
}

// The program's name, options and footers; `add_commands` adds the rest.
std::unique_ptr<CLI::App> make_app() {
  auto app =
      std::make_unique<CLI::App>("sluice, a web server whose handlers are modules in a folder", "sluice");
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_version_flag("--version", version_line(), "Print the version and exit");
  app->require_subcommand(1);
  app->footer(kProgramFooter);
  return app;
}

}  // namespace

CommandWords describe_command_line() {
  CommandLine unused;
  const auto app = make_app();
  add_commands(*app, unused);
  return words_of(*app);
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine result;
  const auto app = make_app();
  add_commands(*app, result);
  std::vector<const char*> argv{"sluice"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  try {
    app->parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::ParseError& error) {
    CommandLine said = answer(*app, error);
    if (arguments.empty()) said.standard_error = app->help();
    return said;
  }
  return result;
}

}  // namespace sluice::cli
