#include "trial.h"

#include <sys/mman.h>

#include <cerrno>

#include "log.h"
#include "text_fields.h"

namespace sluice {
namespace {

// In the child.
Result<TrialReport> try_sites(const ServingPlan& plan, const ModuleSet& set, std::uint64_t make_ms_max,
                              WorkerStats& stats) {
  if (plan.user) {
    const auto became = become(*plan.user);
    if (!became) return Unexpected(became.error());
  }
  TrialReport report;
  for (const ServingSite& site : plan.sites) {
    const bool first = &site == &plan.sites.front();
    const auto worker = Worker::prepare(plan, site, first ? set : report.modules, stats, Unusable::left_out);
    if (!worker) return Unexpected(worker.error());
    Lineup& lineup = (*worker)->lineup();
    lineup.refuse_slow(make_ms_max);
    report.warnings.insert(report.warnings.end(), lineup.warnings().begin(), lineup.warnings().end());
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

std::string report_trial(const ServingPlan& plan, const ModuleSet& set, std::uint64_t make_ms_max,
                         WorkerStats& stats) {
  const auto report = try_sites(plan, set, make_ms_max, stats);
  FieldWriter out;
  if (!report) return out.put(report.error().message).take();
  out.put("").put(encode_modules(report->modules)).put(report->mounts.size());
  for (const MountReport& mount : report->mounts) out.put(mount.prefix).put(mount.module);
  out.put(report->warnings.size());
  for (const ModuleWarning& warning : report->warnings)
    out.put(warning.file).put(warning.prefix).put(warning.sentence);
  for (const ModuleProblem& problem : report->problems) out.put(problem.file).put(problem.sentence);
  return out.take();
}

Unexpected broken_off(const std::string& what, const Error& how) {
  return fail("the process that tried " + what + " " + how.message +
              ": `sluice check FILE.so` tells more of a module");
}

}  // namespace

Result<std::unique_ptr<Child>> start_trial(PlanPtr plan, const ModuleSet& set, std::uint64_t make_ms_max,
                                           const std::function<Result<void>()>& in_child) {
  return Child::start([&, plan = std::move(plan)] {
    const auto ready = in_child();
    if (!ready) return FieldWriter().put(ready.error().message).take();
    const auto stats = std::make_unique<WorkerStats>();
    return report_trial(*plan, set, make_ms_max, *stats);
  });
}

Result<TrialReport> read_trial(const Result<std::string>& report) {
  if (!report) return broken_off("it", report.error());
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
  const std::uint64_t warnings = fields.next_number();
  for (std::uint64_t i = 0; i < warnings && !fields.at_end(); ++i) {
    const std::string file(fields.next());
    const std::string prefix(fields.next());
    trial.warnings.push_back({file, prefix, std::string(fields.next())});
  }
  while (!fields.at_end()) {
    const std::string file(fields.next());
    trial.problems.push_back({file, std::string(fields.next())});
  }
  return trial;
}

void log_warnings(const TrialReport& report, const std::string& file) {
  for (const ModuleWarning& warning : report.warnings) {
    if (!file.empty() && warning.file != file) continue;
    log(warning.prefix.empty() ? LogLevel::info : LogLevel::warning, warning.sentence);
  }
}

Result<TrialReport> try_modules(const ServingPlan& plan, const ModuleSet& set) {
  // Shared with the child, so that it tells in which module that has ended.
  void* memory =
      ::mmap(nullptr, sizeof(WorkerStats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot map memory for a trial of the modules", errno);
  auto* stats = static_cast<WorkerStats*>(memory);
  const int limit_ms = static_cast<int>(plan.settings.care.swap_ms);
  const auto child = Child::start([&] { return report_trial(plan, set, kNoMakeLimit, *stats); });
  const Result<std::string> report =
      child ? wait_for(**child, limit_ms) : Result<std::string>(Unexpected(child.error()));
  const std::string module(noted_module(*stats, stats->notes[0].who.load(std::memory_order_relaxed)));
  ::munmap(memory, sizeof(WorkerStats));
  if (!child) return Unexpected(child.error());
  if (report) return read_trial(report);
  return broken_off(module.empty() ? "the modules" : "module " + module, report.error());
}

}  // namespace sluice
