// The whole check of a module: every step in a short-lived child, so that a crash or a hang of the module is
// something found out, and never the end of the check.
//
// For a process of one thread. Blocks until the last step has ended.
#pragma once

#include <span>
#include <vector>

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

struct Step {
  std::string_view check;  // under which its crash is reported
  void (*run)(const ModuleUnderCheck& subject, Findings& findings);
  bool essential;                      // after a crash in it nothing else can be tried
  std::vector<std::string_view> also;  // the other checks that are done only when it has run to its end
};

std::span<const Step> all_steps();

struct StepResult {
  Findings findings;      // also those before a crash
  bool finished = false;  // neither crashed nor given up
};

StepResult run_step(const ModuleUnderCheck& subject, const Step& step);

// All steps, one after the other.
CheckReport inspect(const ModuleUnderCheck& subject);

}  // namespace sluice::cli
