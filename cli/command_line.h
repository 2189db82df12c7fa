// The command line: which command is meant, and which options were given for it.
//
// Bad usage and the help are answered here, in CLI11's words and with its exit codes; values are not judged
// here. No state; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

struct CommandLine {
  enum class Command : std::uint8_t {
    none,  // all is said: print the texts and end with the exit code
    serve,
    modules,
    control,
    new_handler,
    check,
  };

  Command command = Command::none;
  OptionTexts given;
  std::string request;  // of `control`: what the running server is asked
  int exit_code = 0;
  std::string standard_output;
  std::string standard_error;
};

// `arguments` are those behind the program's name.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace sluice::cli
