// Scripts that complete the commands and options of sluice in shells, made of the command line's own
// description. Pure. Any thread.
#pragma once

#include <string>

#include "command_line.h"

namespace sluice::cli {

std::string bash_completions(const CommandWords& program);
std::string zsh_completions(const CommandWords& program);

}  // namespace sluice::cli
