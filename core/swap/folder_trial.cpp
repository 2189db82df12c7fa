#include "swap/folder_trial.h"

#include <fmt/core.h>
#include <utility>

#include "module/module_source.h"
#include "swap/module_folder.h"

namespace sluice {
namespace {

// An error for the whole folder: without it, the server would start as if the folder had no modules.
Unexpected no_place(const CopyFailure& failure, const std::string& place) {
  return fail(
      fmt::format("{} ({}): make room there, or point TMPDIR to another folder", failure.error.message, place));
}

}  // namespace

Result<FolderTrial> begin_folder_trial(ModuleStore& store, const ServingPlan& plan) {
  FolderTrial folder;
  const auto found = find_modules(plan.settings.plugins);
  if (!found) return Unexpected(found.error());
  for (const std::string& each : plan.settings.plugins) {
    const auto allowed = check_modules_folder(each);
    if (!allowed) return Unexpected(allowed.error());
    tell_of_open_folder(each);
  }
  for (const auto& [from, file] : *found) {
    auto copy = store.begin_copy(from, file);
    if (!copy && copy.error().of_place) return no_place(copy.error(), store.path());
    if (!copy) folder.report.problems.push_back({file, copy.error().error.message});
    if (!copy) continue;
    folder.catalog.take({entry_of(file, *copy->copy), copy->copy}, 0, plan.settings.policy);
    folder.empty.push_back(std::move(*copy));
  }
  return folder;
}

Result<FolderTrial> try_folder(ModuleStore& store, const ServingPlan& plan, const InChild& in_child) {
  auto folder = begin_folder_trial(store, plan);
  if (!folder) return folder;
  for (EmptyCopy& copy : std::exchange(folder->empty, {})) {
    const auto filled = copy.fill();
    if (filled) continue;
    if (filled.error().of_place) return no_place(filled.error(), store.path());
    folder->report.problems.push_back({copy.file, filled.error().error.message});
    folder->catalog.remove(copy.file, false);
  }
  return try_modules(plan, folder->catalog.set(), in_child).map([&](TrialReport report) {
    const auto& unread = folder->report.problems;
    report.problems.insert(report.problems.begin(), unread.begin(), unread.end());
    std::swap(folder->report, report);
    return std::move(*folder);
  });
}

}  // namespace sluice
