#include "completions.h"

#include <fmt/core.h>
#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace sluice::cli {
namespace {

// What may be written for an argument.
struct Choices {
  bool files = false;
  bool folders = false;
  std::string words;  // with blanks between them
};

// Of "FILE|stdout|off", for example. What stands for something else is left to the person.
Choices choices_of(std::string_view argument) {
  Choices choices;
  while (!argument.empty()) {
    const std::string_view part = take_part(argument, "|");
    const bool is_word =
        part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string_view::npos;
    if (part == "FILE" || part == "PATH") {
      choices.files = true;
    } else if (part == "DIR") {
      choices.folders = true;
    } else if (is_word && !part.empty()) {
      choices.words.append(choices.words.empty() ? "" : " ").append(part);
    }
  }
  return choices;
}

// compgen's letter for paths; empty for none.
std::string_view paths_in_bash(const Choices& choices) {
  return choices.files ? "f" : choices.folders ? "d" : "";
}

// Calls `each` with every command below, and its words joined: "/module/enable".
void for_all_commands(const CommandWords& command, const std::string& path,
                      const std::function<void(const CommandWords&, const std::string&)>& each) {
  each(command, path);
  for (const CommandWords& below : command.commands) for_all_commands(below, path + "/" + below.name, each);
}

std::string first_sentence(std::string_view text) {
  std::string sentence(text.substr(0, text.find(". ")));
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence;
}

// For the shell, as one word.
std::string quoted_for_shell(std::string_view text) {
  std::string word = "'";
  for (const char byte : text) word += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return word + "'";
}

// For _arguments, which has meanings for some bytes.
std::string in_spec(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (std::string_view("\\[]:").find(byte) != std::string_view::npos) escaped += '\\';
    escaped += byte;
  }
  return escaped;
}

// What _arguments has to do for an argument: ":MESSAGE:ACTION".
std::string action_in_zsh(const std::string& argument) {
  const Choices choices = choices_of(argument);
  std::string action = " ";
  if (choices.folders) action = "_files -/";
  if (choices.files) action = "_files";
  if (!choices.words.empty())
    action = choices.files || choices.folders ? fmt::format("{{compadd -- {}; {}}}", choices.words, action)
                                              : fmt::format("({})", choices.words);
  return fmt::format(":{}:{}", in_spec(argument), action);
}

std::string function_name(std::string path) {
  std::replace(path.begin(), path.end(), '/', '_');
  return "_sluice" + path;
}

std::string zsh_function(const CommandWords& command, const std::string& path) {
  std::string text =
      fmt::format("{}() {{\n  local curcontext=$curcontext state line\n  _arguments -C", function_name(path));
  for (const CommandWords::Option& option : command.options) {
    const bool takes = !option.argument.empty();
    text +=
        " \\\n    " + quoted_for_shell(fmt::format("{}{}{}[{}]{}", option.repeatable ? "*" : "", option.name,
                                                   takes ? "=" : "", in_spec(first_sentence(option.help)),
                                                   takes ? action_in_zsh(option.argument) : ""));
  }
  if (!command.argument.empty()) text += " \\\n    " + quoted_for_shell("1" + action_in_zsh(command.argument));
  if (command.commands.empty()) return text + "\n}\n";
  text +=
      " \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n  case $state in\n  command)\n    "
      "local -a commands=(";
  for (const CommandWords& below : command.commands)
    text += "\n      " + quoted_for_shell(below.name + ":" + first_sentence(below.help));
  text += "\n    )\n    _describe command commands\n    ;;\n  argument)\n    case $line[1] in\n";
  for (const CommandWords& below : command.commands)
    text += fmt::format("    {}) {} ;;\n", below.name, function_name(path + "/" + below.name));
  return text + "    esac\n    ;;\n  esac\n}\n";
}

}  // namespace

std::string bash_completions(const CommandWords& program) {
  std::string paths;
  std::string values;
  std::string words;
  for_all_commands(program, "", [&](const CommandWords& command, const std::string& path) {
    if (!path.empty()) paths += (paths.empty() ? "" : " | ") + path;
    std::string own;
    for (const CommandWords& below : command.commands) own += below.name + " ";
    for (const CommandWords::Option& option : command.options) {
      own += option.name + " ";
      if (option.argument.empty()) continue;
      const Choices choices = choices_of(option.argument);
      values += fmt::format("    '{} {}') words='{}' paths={} ;;\n", path, option.name, choices.words,
                            paths_in_bash(choices));
    }
    const Choices choices = choices_of(command.argument);
    words += fmt::format("        '{}') words='{}{}' paths={} ;;\n", path, own, choices.words,
                         paths_in_bash(choices));
  });
  return fmt::format(R"(# Completes the commands and options of sluice in bash. Made by: sluice completions bash
_sluice() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command= words= paths= each
  for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $command/$each in
      {}) command+=/$each ;;
    esac
  done
  # Bash takes "--option=value" apart.
  [ "$word" != = ] || word=
  [ "$before" != = ] || before=${{COMP_WORDS[COMP_CWORD - 2]}}
  case "$command $before" in
{}    *)
      case $command in
{}      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$word"
    [ -z "$paths" ] || compgen -"$paths" -- "$word"
  )
  [ -z "$paths" ] || compopt -o filenames 2>/dev/null
}}
complete -F _sluice sluice
)",
                     paths, values, words);
}

std::string zsh_completions(const CommandWords& program) {
  std::string text =
      "#compdef sluice\n# Completes the commands and options of sluice in zsh. Made by: sluice completions "
      "zsh\n";
  for_all_commands(program, "", [&](const CommandWords& command, const std::string& path) {
    text += zsh_function(command, path);
  });
  return text + "_sluice \"$@\"\n";
}

}  // namespace sluice::cli
