#include "swap/module_trial.h"

#include <fmt/core.h>
#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/child_process.h"
#include "base/log.h"
#include "base/netstring.h"
#include "module/module_needs.h"
#include "swap/folder_access.h"
#include "worker/confinement.h"
#include "worker/worker.h"

namespace sluice {
namespace {

// How a trial treats modules that it cannot use, or that are slow to make.
struct Terms {
  Unusable unusable = Unusable::left_out;
  std::uint64_t make_ms_max = kNoMakeLimit;
};

// Adds the results of an isolated mount's group. A module that is broken there is closed at all of its mounts.
Result<void> add_group(TrialReport& report, const MountTable& table, Unusable unusable) {
  if (unusable == Unusable::left_out && !table.problems().empty())
    return fail(table.problems().front().sentence);
  report.problems.insert(report.problems.end(), table.problems().begin(), table.problems().end());
  for (const ModuleEntry& entry : table.usable()) {
    for (ModuleEntry& known : report.modules)
      known.closed = known.closed || (entry.closed && known.file == entry.file);
  }
  return {};
}

std::string stem_of(const ModuleEntry& entry) {
  return std::filesystem::path(entry.file).stem().string();
}

// In the child, before it loads a module.
Result<std::uint64_t> confine_child(const ServingPlan& plan, const ModuleSet& set, Permissions granted) {
  ConfinedProcess process{plan, std::nullopt, std::move(granted), "", {Child::own_report_fd()}, true};
  if (!set.empty()) process.copies = std::filesystem::path(set.front().path).parent_path();
  return confine(process);
}

// Reads a module's name and default mount in a child, which is granted nothing. Leaves `entry` as it is if the
// file cannot be loaded.
void learn_name(const ServingPlan& plan, ModuleEntry& entry, const InChild& in_child) {
  const auto describe = [&]() -> std::string {
    in_child();
    if (!confine_child(plan, {entry}, {})) return {};
    const auto file = ModuleFile::load(entry.path, entry.file, entry.generation);
    if (!file) return {};
    const ModuleInfo& info = (*file)->info();
    return NetstringWriter().put(info.name).put(info.default_mount == nullptr ? "" : info.default_mount).take();
  };
  const auto text = run_in_child(describe, static_cast<int>(plan.settings.policy.swap_ms));
  if (!text) return;
  NetstringReader fields(*text);
  entry.name = fields.next();
  entry.default_mount = fields.next();
}

// What the modules that are tried are granted. A new file is called after its module as a rule; if a grant is
// for none of the files, their names are read.
Permissions granted_to_tried(const ServingPlan& plan, const ModuleSet& set) {
  std::set<std::string> names;
  for (const ModuleEntry& entry : set) names.insert(entry.name.empty() ? stem_of(entry) : entry.name);
  const auto& grants = plan.settings.grants;
  const bool all_known = std::all_of(grants.begin(), grants.end(),
                                     [&](const Grant& grant) { return names.contains(grant.module); });
  Permissions granted;
  for (ModuleEntry entry : set) {
    if (entry.closed) continue;
    if (entry.name.empty() && !all_known) learn_name(plan, entry, [] {});
    granted.add(granted_to(grants, entry.name.empty() ? stem_of(entry) : entry.name));
  }
  return granted;
}

// In the child.
Result<std::uint64_t> confine_trial(const ServingPlan& plan, const ModuleSet& set) {
  const bool confines = plan.settings.confine != Confine::off && !plan.settings.grants.empty();
  return confine_child(plan, set, confines ? granted_to_tried(plan, set) : Permissions());
}

// In the child.
Result<TrialReport> try_groups(const ServingPlan& plan, const ModuleSet& set, const Terms& terms,
                               WorkerStats& stats) {
  if (const auto confined = confine_trial(plan, set); !confined) return Unexpected(confined.error());
  TrialReport report;
  report.certificates = facts_of(plan.certificates);
  for (const ServingGroup& group : plan.groups) {
    const bool first = &group == &plan.groups.front();
    const auto worker = Worker::prepare(plan, group, first ? set : report.modules, stats, {terms.unusable});
    if (!worker) return Unexpected(worker.error());
    MountTable& table = (*worker)->table();
    table.refuse_slow(terms.make_ms_max);
    report.warnings.insert(report.warnings.end(), table.warnings().begin(), table.warnings().end());
    for (const ModuleProblem& problem : table.problems()) {
      if (problem.of_settings) return fail(problem.sentence);
    }
    if (!first) {
      const auto added = add_group(report, table, terms.unusable);
      if (!added) return Unexpected(added.error());
      continue;
    }
    report.modules = table.usable();
    report.mounts = table.mounts();
    report.problems = table.problems();
    for (ModuleWarning& warning : refused_folders(plan, report.mounts))
      report.warnings.push_back(std::move(warning));
    for (const ModuleEntry& entry : report.modules) {
      if (entry.closed) continue;
      for (const std::string& note : {refused_calls(plan.settings, entry.path, entry.name, 0),
                                      missed_variables(entry.path, entry.name)}) {
        if (!note.empty()) report.warnings.push_back({entry.file, "", note});
      }
    }
    const auto chosen = table.check_chosen();
    if (!chosen) return Unexpected(chosen.error());
  }
  for (MountReport& mount : report.mounts) {
    for (const ModuleEntry& entry : report.modules)
      mount.closed = mount.closed || (entry.closed && entry.name == mount.module);
  }
  return report;
}

std::string report_trial(const ServingPlan& plan, const ModuleSet& set, const Terms& terms,
                         WorkerStats& stats) {
  const auto report = try_groups(plan, set, terms, stats);
  NetstringWriter out;
  if (!report) return out.put(report.error().message).take();
  out.put("").put(encode_modules(report->modules)).put(encode_facts(report->certificates));
  out.put(report->mounts.size());
  for (const MountReport& mount : report->mounts) {
    out.put(mount.site).put(mount.prefix).put(mount.module).put(mount.closed ? 1 : 0).put(mount.filter ? 1 : 0);
  }
  out.put(report->warnings.size());
  for (const ModuleWarning& warning : report->warnings)
    out.put(warning.file).put(warning.prefix).put(warning.sentence);
  for (const ModuleProblem& problem : report->problems) out.put(problem.file).put(problem.sentence);
  return out.take();
}

Unexpected broken_off(const std::string& what, const Error& how) {
  return fail(fmt::format("the process that tried {} {}: `sluice check FILE.so` tells more about a module",
                          what, how.message));
}

// How a trial ended, and the module that it was calling then, by the note of its loop's thread or of another
// thread.
struct Ended {
  Result<std::string> report;
  std::string module;
};

Result<Ended> try_once(const ServingPlan& plan, const ModuleSet& set, const InChild& in_child) {
  const auto stats = map_stats();
  if (!stats) return Unexpected(stats.error());
  const auto child = Child::start([&] {
    in_child();
    return report_trial(plan, set, {Unusable::closed}, **stats);
  });
  if (!child) return Unexpected(child.error());
  Ended ended{wait_for(**child, static_cast<int>(plan.settings.policy.swap_ms)), ""};
  for (const CallNote& note : (*stats)->notes) {
    ended.module = noted_module(**stats, note.module_tag.load(std::memory_order_relaxed));
    if (!ended.module.empty()) break;
  }
  return ended;
}

// The module that ended a trial, among those that are not closed. If the trial noted none, each is tried alone.
ModuleSet::iterator find_culprit(const ServingPlan& plan, ModuleSet& set, const std::string& module,
                                 const InChild& in_child) {
  const auto is_it = [&](const ModuleEntry& entry) {
    return !entry.closed && (entry.name.empty() ? entry.file : entry.name) == module;
  };
  auto found = std::find_if(set.begin(), set.end(), is_it);
  for (auto entry = set.begin(); !module.empty() && found == set.end() && entry != set.end(); ++entry) {
    if (entry->closed || !entry->name.empty()) continue;
    learn_name(plan, *entry, in_child);
    if (is_it(*entry)) found = entry;
  }
  for (auto entry = set.begin(); module.empty() && found == set.end() && entry != set.end(); ++entry) {
    if (entry->closed) continue;
    ModuleSet alone = set;
    for (ModuleEntry& other : alone) other.closed = other.file != entry->file;
    if (const auto ended = try_once(plan, alone, in_child); ended && !ended->report) found = entry;
  }
  return found;
}

// Closes a module, so that its routes answer 503. A file without a known name is closed if the settings name
// it, and left out otherwise.
void close_entry(const ServingPlan& plan, ModuleSet& set, ModuleSet::iterator entry, const InChild& in_child) {
  if (entry->name.empty()) learn_name(plan, *entry, in_child);
  if (entry->name.empty()) {
    entry->name = stem_of(*entry);
    if (!is_asked_for(plan, entry->name)) {
      set.erase(entry);
      return;
    }
  }
  entry->closed = true;
}

}  // namespace

Result<std::unique_ptr<HeardChild>> start_trial(EventLoop& loop, PlanPtr plan, const ModuleSet& set,
                                                std::uint64_t make_ms_max,
                                                const std::function<Result<void>()>& in_child) {
  return HeardChild::start(loop, [&, plan = std::move(plan)] {
    const auto ready = in_child();
    if (!ready) return NetstringWriter().put(ready.error().message).take();
    const auto stats = std::make_unique<WorkerStats>();
    return report_trial(*plan, set, {Unusable::left_out, make_ms_max}, *stats);
  });
}

Result<TrialReport> read_trial(const Result<std::string>& report) {
  if (!report) return broken_off("it", report.error());
  NetstringReader fields(*report);
  const std::string error(fields.next());
  if (!error.empty()) return fail(error);
  TrialReport trial;
  trial.modules = decode_modules(fields.next());
  trial.certificates = decode_facts(fields.next());
  const std::uint64_t mounts = fields.next_number();
  for (std::uint64_t i = 0; i < mounts && !fields.at_end(); ++i) {
    const std::size_t site = fields.next_number();
    const std::string prefix(fields.next());
    const std::string module(fields.next());
    const bool closed = fields.next_number() != 0;
    trial.mounts.push_back({site, prefix, module, closed, fields.next_number() != 0});
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

Result<TrialReport> try_modules(const ServingPlan& plan, const ModuleSet& set, const InChild& in_child) {
  ModuleSet left = set;
  std::vector<ModuleProblem> problems;
  for (;;) {  // one module fewer each time
    const auto ended = try_once(plan, left, in_child);
    if (!ended) return Unexpected(ended.error());
    if (ended->report) {
      auto report = read_trial(ended->report);
      if (report) report->problems.insert(report->problems.begin(), problems.begin(), problems.end());
      return report;
    }
    const auto culprit = find_culprit(plan, left, ended->module, in_child);
    if (culprit == left.end()) return broken_off("the modules", ended->report.error());
    const std::string file = culprit->file;
    close_entry(plan, left, culprit, in_child);
    const std::string module = ended->module.empty() ? file : ended->module;
    problems.push_back({file, broken_off("module " + module, ended->report.error()).value().message});
  }
}

}  // namespace sluice
