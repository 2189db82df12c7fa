// The whole check of a module. Each step runs in a short-lived child, so that a crash or a hang of the module
// is a finding, and does not end the check.
//
// For a process of one thread. Blocks until the last step has ended.
#pragma once

#include <span>
#include <vector>

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

struct Step {
  std::string_view check;  // the check that a crash is reported under
  void (*run)(const ModuleUnderCheck& subject, Findings& findings);
  bool essential;                      // after a crash in it, no other step can be tried
  std::vector<std::string_view> also;  // the other checks that need it to finish
};

std::span<const Step> all_steps();

struct StepResult {
  Findings findings;      // with those from before a crash
  bool finished = false;  // it neither crashed nor was given up
};

StepResult run_step(const ModuleUnderCheck& subject, const Step& step);

// Runs all steps, one after the other.
CheckReport inspect(const ModuleUnderCheck& subject);

}  // namespace sluice::cli
