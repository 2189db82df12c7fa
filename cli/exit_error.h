// Reports why the program cannot go on: one line on stderr and an exit code. Any thread.
#pragma once

#include <iosfwd>
#include <string>

#include "base/error.h"

namespace sluice::cli {

// Writes "sluice: SENTENCE" and returns kExitCouldNotStart. The sentence may quote what a person typed, so
// its control bytes are escaped: it stays one line.
int refuse(std::ostream& err, const Error& error);

// Writes "sluice: SENTENCE" in the same way. The program goes on.
void warn(std::ostream& err, const std::string& sentence);

}  // namespace sluice::cli
