// Finds environment variables that are named like this program's, but are not options of it. Any thread.
#pragma once

#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

// Returns a sentence for each of them, with a suggestion.
std::vector<std::string> unknown_variables(const Environment& environment);

}  // namespace sluice::cli
