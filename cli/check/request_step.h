// The steps that ask a module over real connections. Each runs in a child of its own.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Methods, paths and queries, one at a time; HEAD beside GET; how long each takes of the loop.
void check_requests(const ModuleUnderCheck& subject, Findings& findings);
// Requests with content: whole, chunked, large, cut off.
void check_bodies(const ModuleUnderCheck& subject, Findings& findings);
// Byte by byte, pipelined, read slowly, half-closed: always the same answer.
void check_pacing(const ModuleUnderCheck& subject, Findings& findings);
// Many requests, and what they leave behind.
void check_repetition(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
