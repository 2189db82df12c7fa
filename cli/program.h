// The program without main(): its arguments, environment and outputs are parameters, so that tests can set
// and read them. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

// `arguments` are those after the program's name. Returns the exit code: 0, 1 or 2 as in supervisor.h; for
// bad usage, CLI11's own above 100.
int run_program(const std::vector<std::string>& arguments, const Environment& environment, std::ostream& out,
                std::ostream& err);

}  // namespace sluice::cli
