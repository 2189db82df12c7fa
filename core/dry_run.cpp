#include "dry_run.h"

#include "module_keeper.h"

namespace sluice {

Result<std::string> check(const Settings& settings) {
  const auto keeper = ModuleKeeper::create([] {});
  if (!keeper) return Unexpected(keeper.error());
  const auto plan = make_plan(settings);
  if (!plan) return Unexpected(plan.error());
  const auto tried = (*keeper)->try_folder(**plan);
  if (!tried) return Unexpected(tried.error());
  const TrialReport& report = tried->report;
  if (!report.problems.empty()) {
    std::string text;
    for (const ModuleProblem& problem : report.problems) text += (text.empty() ? "" : "\n") + problem.sentence;
    return fail(text);
  }
  std::string text;
  for (const MountReport& mount : report.mounts) text += mount.prefix + "  by " + mount.module + "\n";
  return text;
}

}  // namespace sluice
