// The command line: the command, and the options that were given for it.
//
// Bad usage and the help are answered here, with CLI11's exit codes. Values are not judged here. No state;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

struct CommandLine {
  enum class Command : std::uint8_t {
    none,  // the texts say everything: print them and end with the exit code
    serve,
    modules,
    manual,
    control,
    new_module,  // `given` has its kind
    check,
    explain,
    top,
    bash_completions,
    zsh_completions,
  };

  Command command = Command::none;
  OptionTexts given;
  std::string request;  // of `control`: the line that is sent to the running server
  int exit_code = 0;
  std::string standard_output;
  std::string standard_error;
};

// `arguments` are those after the program's name.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

// A command as shells complete it and manual pages describe it, with those below it.
struct CommandWords {
  struct Option {
    std::string name;      // "--field"
    std::string names;     // "-H, --field"
    std::string argument;  // as the help shows it: "FILE|stdout|off"; empty for a flag
    std::string help;
    bool repeatable = false;
  };
  std::string name;  // its last word
  std::string help;
  std::string notes;  // below the options in the help
  std::vector<Option> options;
  std::string argument;  // what it takes without an option: "FILE"; empty for nothing
  std::string argument_help;
  bool argument_is_needed = false;
  std::vector<CommandWords> commands;
};

CommandWords describe_command_line();

}  // namespace sluice::cli
