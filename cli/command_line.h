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

}  // namespace sluice::cli
