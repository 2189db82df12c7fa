// Finds out whether modules can serve. A short-lived child, as the user that workers become, loads every module
// and makes and destroys every handler. The caller runs no module code and binds no address.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/error.h"
#include "module/module_placement.h"
#include "settings/serving_plan.h"

namespace sluice {

struct TrialReport {
  ModuleSet modules;                    // what can be used, with their names; closed ones answer 503
  std::vector<MountReport> mounts;      // of the first site
  std::vector<ModuleProblem> problems;  // what is left out
  std::vector<ModuleWarning> warnings;  // of what is made
};

// For those who do not serve yet, and may take their time.
inline constexpr std::uint64_t kNoMakeLimit = ~std::uint64_t{0};

// A trial at work. `in_child` goes before it there: it closes what no module may see, and does what takes time.
// A file whose handlers take longer than `make_ms_max` to make is a problem: the workers' loops would make
// them.
Result<std::unique_ptr<Child>> start_trial(PlanPtr plan, const ModuleSet& set, std::uint64_t make_ms_max,
                                           const std::function<Result<void>()>& in_child);
// What became of it, of the child's report.
Result<TrialReport> read_trial(const Result<std::string>& report);

// Says what modules warned of, of all files or of one. What nobody asked for may well lack something.
void log_warnings(const TrialReport& report, const std::string& file);

// The same for a server that starts, and serves what can be served: whatever crashes, hangs or is refused is
// closed, with a problem that names it, and the others are tried again without it. The error is for settings
// that ask for what no module has. Blocks until it is over.
Result<TrialReport> try_modules(const ServingPlan& plan, const ModuleSet& set);

}  // namespace sluice
