// `sluice manual [COMMAND]`: prints a page of the manual, or writes all of them into a folder. Any thread.
#pragma once

#include <iosfwd>

#include "option_texts.h"

namespace sluice::cli {

// Returns the exit code: 1 for an unknown command, and when a page cannot be written.
int run_manual(const OptionTexts& given, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
