// What ModuleRollout makes of a whole folder.
#include <utility>

#include "base/log.h"
#include "swap/module_rollout.h"

namespace sluice {
namespace {

// Without copies there would be no modules, which would be told as if there were none.
Unexpected no_place(const CopyFailure& failure, const std::string& place) {
  return fail(failure.error.message + " (" + place + "): make room there, or point TMPDIR to another folder");
}

}  // namespace

void ModuleRollout::watch() {
  auto watch = FolderWatch::open(folder(), policy().quiet_ms);
  if (!watch) log(LogLevel::error, watch.error().message + "; HUP looks at it again");
  watch_ = watch ? std::move(*watch) : nullptr;
}

bool ModuleRollout::folder_is_wanted(std::uint64_t now_ms) const {
  return look_wanted_ || !waiting_.empty() || (watch_ != nullptr && watch_->has_news(now_ms));
}

void ModuleRollout::ask_folder(std::uint64_t now_ms) {
  auto asking = Child::start([this, folder = folder()] {  // the plan is gone then
    close_in_child_();
    rehearse_copies(folder);
    return std::string();
  });
  if (!asking) {
    log(LogLevel::error, "the folder of modules is looked at without a child: " + asking.error().message);
    folder_answers_ = true;
    return;
  }
  trial_ = std::move(*asking);
  stage_ = Stage::asking;
  change_until_ms_ = now_ms + policy().swap_ms;
}

// What it has told of is forgotten with the watch.
void ModuleRollout::give_up_folder() {
  log(LogLevel::error, "the folder of modules " + folder() +
                           " does not answer: its modules go on as they are; HUP looks at it again");
  trial_.reset();
  watch_.reset();
  waiting_.clear();
  look_wanted_ = again_wanted_ = false;
  stage_ = Stage::idle;
}

void ModuleRollout::look(std::uint64_t now_ms) {
  if (std::exchange(look_wanted_, false)) note_all_files();
  if (std::exchange(again_wanted_, false)) again_ = waiting_;
  if (watch_ == nullptr) return;
  if (watch_->take_overflow()) note_all_files();
  if (watch_ == nullptr) return;  // watched anew, in vain
  for (std::string& file : watch_->take_quiet(now_ms)) waiting_.insert(std::move(file));
  if (watch_->moved()) {
    watch();
    note_all_files();
  }
  if (watch_ != nullptr && watch_->gone()) {
    log(LogLevel::error,
        "the folder of modules " + folder() + " is gone: its modules go on; send HUP when it is there again");
    watch_.reset();
  }
}

void ModuleRollout::note_all_files() {
  const auto files = list_modules(folder());
  if (!files) return log(LogLevel::error, files.error().message);
  if (watch_ == nullptr || watch_->gone()) watch();
  for (const std::string& file : catalog_.files()) waiting_.insert(file);
  waiting_.insert(files->begin(), files->end());
}

Result<ModuleRollout::Folder> ModuleRollout::read_folder(const ServingPlan& plan) {
  Folder folder;
  const auto files = list_modules(plan.settings.plugins);
  if (!files) return Unexpected(files.error());
  const auto allowed = check_folder(plan.settings.plugins);
  if (!allowed) return Unexpected(allowed.error());
  tell_of_open_folder(plan.settings.plugins);
  for (const std::string& file : *files) {
    auto copy = store_->begin_copy(plan.settings.plugins, file);
    if (!copy && copy.error().of_place) return no_place(copy.error(), store_->path());
    if (!copy) folder.report.problems.push_back({file, copy.error().error.message});
    if (!copy) continue;
    const ModuleEntry entry{file, copy->copy->path(), copy->copy->generation(), "", "", false, false};
    folder.catalog.take({entry, copy->copy}, 0, plan.settings.policy);
    folder.empty.push_back(std::move(*copy));
  }
  return folder;
}

Result<ModuleRollout::Folder> ModuleRollout::try_folder(const ServingPlan& plan) {
  auto folder = read_folder(plan);
  if (!folder) return folder;
  for (EmptyCopy& copy : std::exchange(folder->empty, {})) {
    const auto filled = copy.fill();
    if (filled) continue;
    if (filled.error().of_place) return no_place(filled.error(), store_->path());
    folder->report.problems.push_back({copy.file, filled.error().error.message});
    folder->catalog.remove(copy.file, false);
  }
  return try_modules(plan, folder->catalog.set()).map([&](TrialReport report) {
    const auto& unread = folder->report.problems;
    report.problems.insert(report.problems.begin(), unread.begin(), unread.end());
    std::swap(folder->report, report);
    return std::move(*folder);
  });
}

}  // namespace sluice
