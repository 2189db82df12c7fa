// Whether settings can be served, tried without serving. Blocks until it is known.
#pragma once

#include <string>

#include "base/error.h"
#include "settings/settings.h"

namespace sluice {

// Loads the modules and makes every handler, in a child, as serving would, without listening on an address.
// The text says what would be served, one mount a line; the error is one sentence, or one a line.
Result<std::string> check(const Settings& settings);

}  // namespace sluice
