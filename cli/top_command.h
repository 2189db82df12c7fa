// `sluice top`: shows again and again what the running server does. One thread.
#pragma once

#include <iosfwd>

#include "option_texts.h"

namespace sluice::cli {

// On a terminal it goes on until a signal ends it, or q is pressed; elsewhere it prints one page, after a
// second. Returns the exit code: 1 if no server can be asked.
int run_top(const OptionTexts& given, const Environment& environment, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
