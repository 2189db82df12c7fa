// Tries in a short-lived child whether a plan can be served: every module loaded, every handler made, as the
// user that workers become. No module code runs in the caller, and no address is bound.
#pragma once

#include <string>
#include <vector>

#include "error.h"
#include "serving_plan.h"
#include "worker.h"

namespace sluice {

struct TrialReport {
  std::vector<MountReport> mounts;
  std::vector<std::string> problems;  // modules that are left out: a sentence each
};

Result<TrialReport> try_plan(const ServingPlan& plan);

}  // namespace sluice
