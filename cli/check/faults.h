// From what the core logs of a module that breaks its contract to findings. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "check/findings.h"

namespace sluice::cli {

// Reads lines of the log, which came while `doing`. True when one of them says that an answer was overdue.
bool report_faults(std::string_view lines, const std::string& doing, Findings& findings);

}  // namespace sluice::cli
