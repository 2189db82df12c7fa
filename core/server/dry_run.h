// Tries whether settings can be served, without serving. Blocks until it is known.
#pragma once

#include <string>

#include "base/error.h"
#include "process/inherited_sockets.h"
#include "settings/settings.h"

namespace sluice {

// Loads the modules and makes every handler in a child, as serving would, and tries the addresses without
// listening on them; those of passed sockets are not tried. The text says what would be served, one mount a
// line. The error is one sentence, or one a line.
Result<std::string> check(const Settings& settings, InheritedSockets inherited);

}  // namespace sluice
