// The part of ModuleRollout that reads and watches the folder of modules.
#include <fmt/core.h>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "swap/module_folder.h"
#include "swap/module_rollout.h"

namespace sluice {

void ModuleRollout::watch() {
  auto watch = FolderWatch::open(loop_, folder(), policy().quiet_ms, [this] { wake(); });
  if (!watch) log(LogLevel::error, watch.error().message + "; send HUP to try again");
  watch_ = watch ? std::move(*watch) : nullptr;
}

bool ModuleRollout::folder_is_wanted() const {
  return look_wanted_ || !waiting_.empty() || (watch_ != nullptr && watch_->has_news(monotonic_ms()));
}

void ModuleRollout::ask_folder() {
  auto asking = HeardChild::start(loop_, [this, folder = folder()] {  // a copy: close_in_child_ frees the plan
    close_in_child_();
    rehearse_copies(folder);
    return std::string();
  });
  if (!asking) {
    log(LogLevel::error, "the supervisor itself reads the folder of modules: " + asking.error().message);
    folder_answers_ = true;
    return;
  }
  trial_ = std::move(*asking);
  stage_ = Stage::asking;
  change_until_ms_ = monotonic_ms() + policy().swap_ms;
}

// Forgets the watch and the changes that it has reported.
void ModuleRollout::give_up_folder() {
  log(LogLevel::error,
      fmt::format("the folder of modules {} does not answer: its modules keep serving; send HUP to try "
                  "again",
                  folder()));
  trial_.reset();
  watch_.reset();
  waiting_.clear();
  look_wanted_ = again_wanted_ = false;
  stage_ = Stage::idle;
}

void ModuleRollout::look() {
  if (std::exchange(look_wanted_, false)) note_all_files();
  if (std::exchange(again_wanted_, false)) again_ = waiting_;
  if (watch_ == nullptr) return;
  if (watch_->take_overflow()) note_all_files();
  if (watch_ == nullptr) return;  // note_all_files could not watch the folder again
  for (std::string& file : watch_->take_quiet(monotonic_ms())) waiting_.insert(std::move(file));
  if (watch_->moved()) {
    watch();
    note_all_files();
  }
  if (watch_ != nullptr && watch_->gone()) {
    log(LogLevel::error,
        fmt::format("the folder of modules {} is gone: its modules keep serving; send HUP when it is there "
                    "again",
                    folder()));
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

}  // namespace sluice
