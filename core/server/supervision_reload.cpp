// The supervisor's part of a reload.
#include <utility>

#include "base/log.h"
#include "server/supervision.h"

namespace sluice {
namespace {

// How long a reload waits for changes of modules to end.
constexpr std::uint64_t kSwapsFirstMs = 20'000;

}  // namespace

void Supervisor::want_reload() {
  if (!reload_wanted_) swaps_until_ms_ = monotonic_ms() + kSwapsFirstMs;
  reload_wanted_ = true;
  renewal_ = false;
  rollout_->look_again();
}

void Supervisor::begin_reload() {
  reload_wanted_ = false;
  control_.reload_begins();
  const bool renews = std::exchange(renewal_, false);
  if (renews) present_ = [settings = group_->plan().settings] { return settings; };
  auto begun = Reload::begin(renews ? present_ : reread_, *group_, [this] { close_for_child({}); });
  if (!begun) return refuse_reload(begun.error().message);
  reload_ = std::move(*begun);
}

void Supervisor::step_reload() {
  const auto ready = reload_->step(*rollout_, *group_, launch());
  if (!ready) return refuse_reload(ready.error().message);
  if (*ready) commit_reload();
}

void Supervisor::refuse_reload(const std::string& why) {
  const std::string sentence = "not reloaded, and nothing changes: " + why;
  log(LogLevel::error, sentence);
  control_.reload_ended(fail(sentence));
  if (reload_ == nullptr) return;
  retired_.add(reload_->abandon());
  reload_.reset();
}

// Closes the last references to unwanted sockets first, and then tells the workers that still accept from
// them.
void Supervisor::commit_reload() {
  const std::unique_ptr<WorkerGroup> old = std::exchange(group_, reload_->take_group());
  reload_->commit(*rollout_, *group_);
  reload_.reset();
  set_log(group_->plan().settings.log_level, "supervisor");
  old->close_listeners();
  for (const WorkerProcess* worker : old->workers()) watchdog_.forget(*old, *worker);
  retired_.retire(*old, monotonic_ms());
  log(LogLevel::info, "reloaded");
  control_.reload_ended("reloaded\n");
}

}  // namespace sluice
