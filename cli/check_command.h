// `sluice check FILE.so`: tells the author of a module what is wrong with it before users find out. The
// checks are in check/. One thread.
#pragma once

#include <iosfwd>

#include "option_texts.h"

namespace sluice::cli {

// Returns the exit code: 0 when nothing is wrong (advice is allowed), 1 when something is, or when the module
// cannot be checked.
int run_check(const OptionTexts& command_line, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
