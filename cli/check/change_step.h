// The steps in which something goes away while the module is at work: clients, and the module itself. Each runs
// in a child of its own.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Clients leave in every state of their connection, in order and by a reset.
void check_departures(const ModuleUnderCheck& subject, Findings& findings);

// A second generation takes over while the first still answers, and the first is unloaded.
void check_swap(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
