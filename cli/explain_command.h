// `sluice explain [METHOD] URL`: asks the running server what it would answer, and why. Any thread.
#pragma once

#include <iosfwd>

#include "option_texts.h"

namespace sluice::cli {

// Returns the exit code: 1 if the request cannot be understood, or no server can be asked.
int run_explain(const OptionTexts& given, const Environment& environment, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
