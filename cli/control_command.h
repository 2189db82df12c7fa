// The commands that ask a running server: `sluice reload`, `status` and others. One table lists them; the
// server has a table of the same names (see ControlCommand).
//
// Finds the one running server, sends it one line, and prints its answer. One thread; every wait is bounded,
// but that of `sluice stop`, which lasts until the server has ended.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "base/error.h"
#include "option_texts.h"

namespace sluice::cli {

struct ControlCommandLine {
  const char* name;
  const char* argument;  // its name in the help; null for none
  const char* help;
  const char* as_json =
      nullptr;  // the command in its place when --json is given; null if it has no such option
};

std::span<const ControlCommandLine> control_commands();

// What the running server answers to a line; an error is the server's, or says that none can be asked.
Result<std::string> ask_server(const std::string& request, const OptionTexts& command_line,
                               const Environment& environment);

// `request` is the command's name, and its argument after a space. Returns the exit code: 1 when no server
// can be asked, or when the server refuses.
int run_control(const std::string& request, const OptionTexts& command_line, const Environment& environment,
                std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
