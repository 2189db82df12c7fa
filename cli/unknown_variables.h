// Variables of the environment that are named as this program's are, and mean nothing to it. Any thread.
#pragma once

#include <string>
#include <vector>

#include "option_texts.h"

namespace sluice::cli {

// A sentence for each, which says what may have been meant.
std::vector<std::string> unknown_variables(const Environment& environment);

}  // namespace sluice::cli
