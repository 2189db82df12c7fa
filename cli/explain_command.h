// `sluice explain [METHOD] URL`: asks the running server, or settings that no server has yet, what the answer
// would be, and why. For a process with a single thread.
#pragma once

#include <iosfwd>

#include "option_texts.h"

namespace sluice::cli {

// Returns the exit code: 1 if the request cannot be understood, no server can be asked, or the settings are
// wrong.
int run_explain(const OptionTexts& given, const Environment& environment, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
