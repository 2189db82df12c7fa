// How the program says that it cannot go on: one line on stderr and the exit code for it. Any thread.
#pragma once

#include <iosfwd>
#include <string>

#include "base/error.h"

namespace sluice::cli {

// Writes "sluice: SENTENCE" and returns kExitCouldNotStart. What was typed may be quoted in the sentence, so
// its control bytes are escaped: it stays one line.
int refuse(std::ostream& err, const Error& error);

// Writes "sluice: SENTENCE" in the same way, of what does not keep it from going on.
void warn(std::ostream& err, const std::string& sentence);

}  // namespace sluice::cli
