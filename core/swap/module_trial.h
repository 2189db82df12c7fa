// Tries whether modules can serve. A short-lived child with the workers' user loads every module, and makes and
// destroys every handler. The caller runs no module code and binds no address.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "module/module_placement.h"
#include "process/heard_child.h"
#include "settings/certificate_facts.h"
#include "settings/serving_plan.h"

namespace sluice {

struct TrialReport {
  ModuleSet modules;                    // that can be used, with their names; closed ones answer 503
  std::vector<MountReport> mounts;      // of the first serving group
  std::vector<ModuleProblem> problems;  // of modules that are left out or closed
  std::vector<ModuleWarning> warnings;  // of modules whose handlers were made
  std::vector<CertificateFacts> certificates;
};

// For a server that does not serve yet, so that making handlers delays no request.
inline constexpr std::uint64_t kNoMakeLimit = ~std::uint64_t{0};

// Starts a trial. The child first calls `in_child`, which closes descriptors that no module may see, and fills
// copies. A file whose handlers take longer than `make_ms_max` to make is a problem, because workers make them
// on their loops.
Result<std::unique_ptr<HeardChild>> start_trial(EventLoop& loop, PlanPtr plan, const ModuleSet& set,
                                                std::uint64_t make_ms_max,
                                                const std::function<Result<void>()>& in_child);
// Decodes the child's report.
Result<TrialReport> read_trial(const Result<std::string>& report);

// Logs the modules' warnings: of all files, or of `file` if it is not empty. Warnings at default mounts are
// only information, because nobody asked for those mounts.
void log_warnings(const TrialReport& report, const std::string& file);

// Called first in a child: closes descriptors that no module may see.
using InChild = std::function<void()>;

// A trial for a server that starts. A module that crashes, hangs or refuses is closed, with a problem that
// names it, and the others are tried again without it. The error is for settings that no module can satisfy.
// Blocks until the trial is over. Each child first calls `in_child`.
Result<TrialReport> try_modules(const ServingPlan& plan, const ModuleSet& set, const InChild& in_child);

}  // namespace sluice
