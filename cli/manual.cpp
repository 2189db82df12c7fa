#include "manual.h"

#include <fmt/core.h>
#include <string_view>

#include "base/text.h"
#include "serve_notes.h"
#include "serve_options.h"

namespace sluice::cli {
namespace {

// Where an option may be given, in words.
std::string places(const ServeOption& option) {
  switch (option.given) {
    case Given::at_start:
      return fmt::format("--{}, {}", option.name, variable_name(option));
    case Given::to_server:
      return fmt::format("--{}, {}, {} in the file", option.name, variable_name(option), option.name);
    case Given::to_sites:
      return fmt::format("--{}, {}, {} in the file and in [[site]]", option.name, variable_name(option),
                         option.name);
    case Given::in_site:
      break;
  }
  return fmt::format("{} in [[site]]", option.name);
}

std::string heading(const ServeOption& option) {
  const std::string name = option.given == Given::in_site ? option.name : std::string("--") + option.name;
  return option.argument == nullptr ? name : name + " " + option.argument;
}

std::string help_of(const ServeOption& option) {
  std::string help = option.help;
  if (option.fallback != nullptr) help += " [" + option.fallback() + "]";
  return help;
}

// As man(7) needs it: no character with a meaning of its own.
std::string in_roff(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (escaped.empty() || escaped.back() == '\n') {
      if (byte == '.' || byte == '\'') escaped += "\\&";
    }
    if (byte == '\\') {
      escaped += "\\e";
    } else if (byte == '-') {
      escaped += "\\-";
    } else {
      escaped += byte;
    }
  }
  return escaped;
}

// Without the marks of Markdown.
std::string in_markdown(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (std::string_view("*_[]<>|\\").find(byte) != std::string_view::npos) escaped += '\\';
    escaped += byte;
  }
  return escaped;
}

// Calls `begin` for each group of options, and `each` for each of its options.
template <typename Begin, typename Each>
void for_all_options(Begin begin, Each each) {
  std::string_view group;
  for (const ServeOption& option : serve_options()) {
    if (group != option.group) begin(group = option.group);
    each(option);
  }
}

constexpr std::string_view kExitStatus =
    "0 when all is well, and 1 when something could not be done, which a sentence tells. sluice serve ends "
    "with 2 "
    "when it was forced to end before its requests had ended. Above 100: the command line is wrong.";
constexpr std::string_view kFiles =
    ".TP\n\\fI/etc/sluice/sluice.toml\\fR\nthe settings of the service, when a package has installed it\n";

// As the one line of NAME, which man(1) and apropos(1) read.
std::string summary_of(const CommandWords& command) {
  std::string summary = command.help;
  if (!summary.empty() && summary[0] >= 'A' && summary[0] <= 'Z')
    summary[0] = static_cast<char>(summary[0] - 'A' + 'a');
  return summary;
}

std::string begin_page(std::string_view name, std::string_view summary) {
  std::string title(name);
  for (char& byte : title) byte = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  return fmt::format(".TH {} 1 \"\" \"sluice {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n", in_roff(title),
                     SLUICE_VERSION, in_roff(name), in_roff(summary));
}

std::string see_also(std::string_view others) {
  return fmt::format(".SH SEE ALSO\n{}\n", others);
}

std::string notes_section(const std::string& notes) {
  return notes.empty() ? "" : fmt::format(".SH NOTES\n.nf\n{}\n.fi\n", in_roff(notes));
}

std::string name_of_page(const CommandWords& command) {
  return "sluice-" + command.name;
}

// The lines of the synopsis: one for the command, or one for each below it.
std::string synopsis(const CommandWords& command, const std::string& words) {
  std::string lines;
  for (const CommandWords& below : command.commands) lines += synopsis(below, words + " " + below.name);
  if (!command.commands.empty()) return lines;
  lines = fmt::format("\\fB{}\\fR", in_roff(words));
  if (!command.options.empty()) lines += " [\\fIOPTIONS\\fR]";
  if (!command.argument.empty()) {
    lines += command.argument_is_needed ? fmt::format(" \\fI{}\\fR", in_roff(command.argument))
                                        : fmt::format(" [\\fI{}\\fR]", in_roff(command.argument));
  }
  return lines + "\n.br\n";
}

std::string items(const CommandWords& command) {
  std::string text;
  if (!command.argument_help.empty()) {
    text += fmt::format(".TP\n\\fI{}\\fR\n{}\n", in_roff(command.argument), in_roff(command.argument_help));
  }
  for (const CommandWords::Option& option : command.options) {
    const std::string argument =
        option.argument.empty() ? "" : fmt::format(" \\fI{}\\fR", in_roff(option.argument));
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", in_roff(option.names), argument, in_roff(option.help));
  }
  return text;
}

std::string page_of(const CommandWords& command) {
  const std::string words = "sluice " + command.name;
  std::string page = begin_page(name_of_page(command), summary_of(command)) + ".SH SYNOPSIS\n" +
                     synopsis(command, words) + fmt::format(".SH DESCRIPTION\n{}.\n", in_roff(command.help));
  if (const std::string own = items(command); !own.empty()) page += ".SH OPTIONS\n" + own;
  for (const CommandWords& below : command.commands) {
    page += fmt::format(".SS {} {}\n{}.\n", in_roff(words), in_roff(below.name), in_roff(below.help)) +
            items(below);
  }
  return page + notes_section(command.notes) + see_also("sluice(1), sluice\\-serve(1)");
}

std::string serve_page(const CommandWords& serve) {
  std::string page = begin_page(name_of_page(serve), summary_of(serve)) +
                     ".SH SYNOPSIS\n.B sluice serve\n[\\fIOPTIONS\\fR]\n.SH OPTIONS\n";
  for_all_options([&](std::string_view group) { page += fmt::format(".SS {}\n", in_roff(group)); },
                  [&](const ServeOption& option) {
                    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n.br\n{}\n", in_roff(heading(option)),
                                        in_roff(help_of(option)), in_roff(places(option)));
                  });
  return page + notes_section(serve.notes) + see_also("sluice(1), sluice\\-check(1), sluice\\-status(1)");
}

std::string program_page(const CommandWords& program) {
  std::string page = begin_page("sluice", "a web server whose handlers are modules in a folder") +
                     ".SH SYNOPSIS\n.B sluice\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  std::string others;
  for (const CommandWords& command : program.commands) {
    page += fmt::format(".TP\n\\fBsluice {}\\fR\n{}.\n", in_roff(command.name), in_roff(command.help));
    others += (others.empty() ? "" : ", ") + in_roff(name_of_page(command)) + "(1)";
  }
  return page + ".SH OPTIONS\n" + items(program) + fmt::format(".SH EXIT STATUS\n{}\n", in_roff(kExitStatus)) +
         fmt::format(".SH FILES\n{}", kFiles) + notes_section(program.notes) + see_also(others);
}

}  // namespace

std::vector<ManualPage> manual_pages(const CommandWords& program) {
  std::vector<ManualPage> pages{{"", "sluice.1", program_page(program)}};
  for (const CommandWords& command : program.commands) {
    pages.push_back({command.name, name_of_page(command) + ".1",
                     command.name == "serve" ? serve_page(command) : page_of(command)});
  }
  return pages;
}

std::string reference_page() {
  std::string page = fmt::format(
      "# sluice serve\n\nThis page is made by `sluice manual --markdown`. Each option stands with the places "
      "where it "
      "may be given.\n");
  for_all_options([&](std::string_view group) { page += fmt::format("\n## {}\n\n", in_markdown(group)); },
                  [&](const ServeOption& option) {
                    page += fmt::format("- **`{}`**: {}\n  <br>`{}`\n", heading(option),
                                        in_markdown(help_of(option)), places(option));
                  });
  return page + fmt::format("\n## Notes\n\n```\n{}\n```\n", kServeNotes);
}

}  // namespace sluice::cli
