// The part of ModuleRollout that reads and watches the folder of modules.
#include <fmt/core.h>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/shortage_text.h"
#include "swap/module_folder.h"
#include "swap/module_rollout.h"

namespace sluice {
namespace {

// The pause before what has failed for want of something is tried again.
constexpr std::uint64_t kShortageMs = 5'000;

}  // namespace

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
    if (unasked_.is_due(monotonic_ms()))
      unasked_.say(LogLevel::error,
                   "the supervisor itself reads the folder of modules: " + asking.error().message);
    folder_answers_ = true;
    return wake();
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
  if (!files) {
    const std::string& why = files.error().message;
    if (!tells_of_shortage(why)) return log(LogLevel::error, why);
    const std::string then = try_later("", false);
    if (!known_refusal("", why)) log(LogLevel::error, why + then);
    return;
  }
  refusals_.erase("");
  if (watch_ == nullptr || watch_->gone()) watch();
  for (const std::string& file : catalog_.files()) waiting_.insert(file);
  waiting_.insert(files->begin(), files->end());
}

// Returns what the log adds. Without a file, all of the folder is meant.
std::string ModuleRollout::try_later(const std::string& file, bool revives) {
  later_[file] = revives;
  later_at_ms_ = monotonic_ms() + kShortageMs;
  return fmt::format("; it is tried again every {} s", kShortageMs / 1000);
}

void ModuleRollout::try_later_ones() {
  for (const auto& [file, revives] : std::exchange(later_, {})) {
    again_.insert(file);
    if (file.empty()) {
      look_wanted_ = true;
    } else if (revives) {
      reviving_.try_emplace(file);
    } else {
      waiting_.insert(file);
    }
  }
}

// Whether the log has said so already, before the present attempt.
bool ModuleRollout::known_refusal(const std::string& file, const std::string& why) {
  const bool again = again_.erase(file) > 0;
  return std::exchange(refusals_[file], why) == why && again;
}

}  // namespace sluice
