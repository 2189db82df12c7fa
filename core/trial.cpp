#include "trial.h"

#include "text_fields.h"

namespace sluice {
namespace {

// In the child.
Result<TrialReport> try_sites(const ServingPlan& plan, const ModuleSet& set, std::uint64_t make_ms_max) {
  if (plan.user) {
    const auto became = become(*plan.user);
    if (!became) return Unexpected(became.error());
  }
  const auto stats = std::make_unique<WorkerStats>();
  TrialReport report;
  for (const ServingSite& site : plan.sites) {
    const bool first = &site == &plan.sites.front();
    const auto worker = Worker::prepare(plan, site, first ? set : report.modules, *stats, Unusable::left_out);
    if (!worker) return Unexpected(worker.error());
    Lineup& lineup = (*worker)->lineup();
    lineup.refuse_slow(make_ms_max);
    if (!first) {
      if (!lineup.problems().empty()) return fail(lineup.problems().front().sentence);
      continue;
    }
    report.modules = lineup.usable();
    report.mounts = lineup.mounts();
    report.problems = lineup.problems();
    const auto chosen = lineup.check_chosen();
    if (!chosen) return Unexpected(chosen.error());
  }
  return report;
}

std::string report_trial(const ServingPlan& plan, const ModuleSet& set, std::uint64_t make_ms_max) {
  const auto report = try_sites(plan, set, make_ms_max);
  FieldWriter out;
  if (!report) return out.put(report.error().message).take();
  out.put("").put(encode_modules(report->modules)).put(report->mounts.size());
  for (const MountReport& mount : report->mounts) out.put(mount.prefix).put(mount.module);
  for (const ModuleProblem& problem : report->problems) out.put(problem.file).put(problem.sentence);
  return out.take();
}

}  // namespace

Result<std::unique_ptr<Child>> start_trial(PlanPtr plan, const ModuleSet& set, std::uint64_t make_ms_max,
                                           const std::function<Result<void>()>& in_child) {
  return Child::start([&, plan = std::move(plan)] {
    const auto ready = in_child();
    return ready ? report_trial(*plan, set, make_ms_max) : FieldWriter().put(ready.error().message).take();
  });
}

Result<TrialReport> read_trial(const Result<std::string>& report) {
  if (!report) return fail("the process that tried it " + report.error().message);
  FieldReader fields(*report);
  const std::string error(fields.next());
  if (!error.empty()) return fail(error);
  TrialReport trial;
  trial.modules = decode_modules(fields.next());
  const std::uint64_t mounts = fields.next_number();
  for (std::uint64_t i = 0; i < mounts && !fields.at_end(); ++i) {
    const std::string prefix(fields.next());
    trial.mounts.push_back({prefix, std::string(fields.next())});
  }
  while (!fields.at_end()) {
    const std::string file(fields.next());
    trial.problems.push_back({file, std::string(fields.next())});
  }
  return trial;
}

Result<TrialReport> try_modules(const ServingPlan& plan, const ModuleSet& set) {
  const int limit_ms = static_cast<int>(plan.settings.care.swap_ms);
  return read_trial(run_in_child([&] { return report_trial(plan, set, kNoMakeLimit); }, limit_ms));
}

}  // namespace sluice
