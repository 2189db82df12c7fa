// The commands that ask a running server: `sluice reload`, `status` and the like. One table lists them; the
// server has one of the same names (see ControlCommand).
//
// Finds the one server that runs, sends it one line, and prints its answer. One thread; every wait is bounded.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "option_texts.h"

namespace sluice::cli {

struct ControlCommandLine {
  const char* name;
  const char* argument;  // how the help calls it; null for none
  const char* help;
};

std::span<const ControlCommandLine> control_commands();

// `request`: the command's name, and its argument after a space. Returns the exit code: 1 when no server can be
// asked, or when it refuses.
int run_control(const std::string& request, const OptionTexts& command_line, const Environment& environment,
                std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
