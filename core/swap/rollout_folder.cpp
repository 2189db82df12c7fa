// The part of ModuleRollout that reads and watches the folders of modules.
#include <fmt/core.h>
#include <algorithm>
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
  watches_.clear();
  for (const std::string& folder : folders()) {
    auto watch = FolderWatch::open(loop_, folder, policy().quiet_ms, [this] { wake(); });
    if (watch) {
      watches_.push_back(std::move(*watch));
    } else {
      log(LogLevel::error, watch.error().message + "; send HUP to try again");
    }
  }
}

bool ModuleRollout::is_fully_watched() const {
  return watches_.size() == folders().size() &&
         std::none_of(watches_.begin(), watches_.end(), [](const auto& watch) { return watch->gone(); });
}

bool ModuleRollout::folders_are_wanted() const {
  const std::uint64_t now_ms = monotonic_ms();
  return look_wanted_ || !waiting_.empty() ||
         std::any_of(watches_.begin(), watches_.end(),
                     [&](const auto& watch) { return watch->has_news(now_ms); });
}

void ModuleRollout::ask_folders() {
  auto asking =
      HeardChild::start(loop_, [this, folders = folders()] {  // a copy: close_in_child_ frees the plan
        close_in_child_();
        rehearse_copies(folders);
        return std::string();
      });
  if (!asking) {
    if (unasked_.is_due(monotonic_ms()))
      unasked_.say(LogLevel::error,
                   "the supervisor itself reads the folder of modules: " + asking.error().message);
    folders_answer_ = true;
    return wake();
  }
  trial_ = std::move(*asking);
  stage_ = Stage::asking;
  change_until_ms_ = monotonic_ms() + policy().swap_ms;
}

// Forgets the watches and the changes that they have reported.
void ModuleRollout::give_up_folders() {
  log(LogLevel::error,
      fmt::format("the folder of modules {} does not answer: its modules keep serving; send HUP to try "
                  "again",
                  folders_text(folders())));
  trial_.reset();
  watches_.clear();
  waiting_.clear();
  look_wanted_ = again_wanted_ = false;
  stage_ = Stage::idle;
}

void ModuleRollout::look() {
  if (std::exchange(look_wanted_, false)) note_all_files();
  if (std::exchange(again_wanted_, false)) again_ = waiting_;
  bool is_lost = false;
  bool is_moved = false;
  for (const auto& watch : watches_) {
    is_lost |= watch->take_overflow();
    for (std::string& file : watch->take_quiet(monotonic_ms())) waiting_.insert(std::move(file));
    is_moved |= watch->moved();
  }
  if (is_moved) watch();
  if (is_moved || is_lost) note_all_files();
  for (const auto& watch : watches_) {
    if (watch->gone()) {
      log(LogLevel::error,
          fmt::format("the folder of modules {} is gone: its modules keep serving; send HUP when it is there "
                      "again",
                      watch->folder()));
    }
  }
  std::erase_if(watches_, [](const auto& watch) { return watch->gone(); });
}

void ModuleRollout::note_all_files() {
  const auto found = find_modules(folders());
  if (!found) {
    const std::string& why = found.error().message;
    if (!tells_of_shortage(why)) return log(LogLevel::error, why);
    const std::string then = try_later("", false);
    if (!known_refusal("", why)) log(LogLevel::error, why + then);
    return;
  }
  refusals_.erase("");
  if (!is_fully_watched()) watch();
  for (const std::string& file : catalog_.files()) waiting_.insert(file);
  for (const FoundModule& module : *found) waiting_.insert(module.file);
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
