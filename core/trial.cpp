#include "trial.h"

#include <sstream>

#include "child.h"

namespace sluice {
namespace {

constexpr int kTrialMs = 20'000;

// One line a fact, its kind first. What a module says may not break lines.
std::string line(char kind, std::string text) {
  for (char& byte : text) {
    if (byte == '\n') byte = ' ';
  }
  return kind + text + '\n';
}

// In the child.
std::string report_trial(const ServingPlan& plan) {
  if (plan.user) {
    const auto became = become(*plan.user);
    if (!became) return line('e', became.error().message);
  }
  const auto stats = std::make_unique<WorkerStats>();
  const auto worker = Worker::prepare(plan, *stats);
  if (!worker) return line('e', worker.error().message);
  std::string report;
  for (const MountReport& mount : (*worker)->mounts()) report += line('m', mount.prefix + "\t" + mount.module);
  for (const std::string& problem : (*worker)->problems()) report += line('p', problem);
  return report;
}

}  // namespace

Result<TrialReport> try_plan(const ServingPlan& plan) {
  const auto text = run_in_child([&plan] { return report_trial(plan); }, kTrialMs);
  if (!text) return fail("trying the modules failed: the process " + text.error().message);
  TrialReport report;
  std::istringstream lines(*text);
  for (std::string entry; std::getline(lines, entry);) {
    if (entry.empty()) continue;
    const std::string value = entry.substr(1);
    const std::size_t tab = value.find('\t');
    if (entry[0] == 'e') return fail(value);
    if (entry[0] == 'p') report.problems.push_back(value);
    if (entry[0] == 'm' && tab != std::string::npos)
      report.mounts.push_back({value.substr(0, tab), value.substr(tab + 1)});
  }
  return report;
}

}  // namespace sluice
