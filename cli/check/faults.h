// Makes findings of the lines that the core logs when a module breaks its contract. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "check/findings.h"

namespace sluice::cli {

// Reads log lines that were written while `doing`. True when one of them says that an answer was overdue.
bool report_faults(std::string_view lines, const std::string& doing, Findings& findings);

}  // namespace sluice::cli
