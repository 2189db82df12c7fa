// The steps that make and destroy handlers, without a request. Each runs in a child of its own.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"
#include "check/test_worker.h"

namespace sluice::cli {

// One handler with the options that were asked for.
void check_creation(const ModuleUnderCheck& subject, Findings& findings);

// Values of options that are allowed by their type, but odd.
void check_refusals(const ModuleUnderCheck& subject, Findings& findings);

// A hundred handlers, one after the other, and the whole module a few times.
void check_lifecycle(const ModuleUnderCheck& subject, Findings& findings);

// Gives the generation up, and says what of it stays. False when something does.
bool give_up(TestWorker& worker, Generation& generation);

}  // namespace sluice::cli
