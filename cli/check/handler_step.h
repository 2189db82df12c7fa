// The steps that make and destroy handlers, without a request. Each runs in a child process.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"
#include "check/test_worker.h"

namespace sluice::cli {

// Makes one handler with the options that were asked for.
void check_creation(const ModuleUnderCheck& subject, Findings& findings);

// Tries option values that their type allows, but that are odd.
void check_refusals(const ModuleUnderCheck& subject, Findings& findings);

// Makes and destroys a hundred handlers, one after the other, and loads the module a few times.
void check_lifecycle(const ModuleUnderCheck& subject, Findings& findings);

// Gives the generation up, and reports what stays of it. False when something does.
bool give_up(TestWorker& worker, Generation& generation);

}  // namespace sluice::cli
