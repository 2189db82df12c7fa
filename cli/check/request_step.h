// The steps that send requests over real connections. Each runs in a child process.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Methods, paths and queries, one at a time; HEAD compared with GET; the time that each takes on the loop.
void check_requests(const ModuleUnderCheck& subject, Findings& findings);
// Requests with content: whole, chunked, large, cut off.
void check_bodies(const ModuleUnderCheck& subject, Findings& findings);
// Sends byte by byte, pipelines, reads slowly, half-closes: the answer must always be the same.
void check_pacing(const ModuleUnderCheck& subject, Findings& findings);
// Sends many requests, and measures what they leave behind.
void check_repetition(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
