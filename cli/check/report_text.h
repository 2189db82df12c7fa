// Writes the report of a check: as a table for people, as JSON (RFC 8259), and as JUnit's XML. Pure. Any
// thread.
#pragma once

#include <string>

#include "check/findings.h"

namespace sluice::cli {

// In 80 columns. The last line says how the check went.
std::string format_table(const CheckReport& report);
// {"file", "clean", "checks": [{"check", "verdict", "sentences"}]}
std::string format_json(const CheckReport& report);
// A test case for each check. Advice is output of a case that has passed.
std::string format_junit(const CheckReport& report);

}  // namespace sluice::cli
