// The program apart from main(): its arguments, environment and outputs are parameters, so that tests can be
// their own terminal. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

// `arguments` are those behind the program's name. Returns the exit code: 0, 1 and 2 as supervisor.h says, and
// CLI11's own above 100 for bad usage.
int run_program(const std::vector<std::string>& arguments, const Environment& environment, std::ostream& out,
                std::ostream& err);

}  // namespace sluice::cli
