// The steps in which something goes away during work: clients, or the module itself. Each step runs in a
// child process.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Clients leave in every state of their connection, by an orderly close and by a reset.
void check_departures(const ModuleUnderCheck& subject, Findings& findings);

// A second generation takes over while the first still answers. Then the first is unloaded.
void check_swap(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
