// The supervisor's part of a reload.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "server/supervision.h"
#include "settings/kernel_tls_support.h"

namespace sluice {
namespace {

// How long a reload waits for changes of modules to end.
constexpr std::uint64_t kSwapsFirstMs = 20'000;

}  // namespace

void Supervisor::want_reload() {
  if (!reload_wanted_) swaps_until_ms_ = monotonic_ms() + kSwapsFirstMs;
  reload_wanted_ = true;
  renewal_ = false;
  rollout_.look_again();
}

// Files that the settings name have other contents than those in force.
void Supervisor::want_renewal() {
  if (!std::exchange(reload_wanted_, true)) {
    swaps_until_ms_ = monotonic_ms() + kSwapsFirstMs;
    renewal_ = true;
  }
  rollout_.wake();
}

// A wanted reload comes before the next change of modules, but waits for those that have been noticed.
bool Supervisor::may_swap() {
  if (rollout_.take_workers_used_up() && !std::exchange(reload_wanted_, true)) renewal_ = true;
  if (!serving_ || leaving_ || stopping_ || reload_ != nullptr || upgrade_ != nullptr) return false;
  if (!reload_wanted_ || (rollout_.busy() && (rollout_.at_work() || monotonic_ms() < swaps_until_ms_)))
    return true;
  begin_reload();
  return false;
}

void Supervisor::begin_reload() {
  reload_wanted_ = false;
  control_.reload_begins();
  named_files_watch_.reload_begins();
  if (!renewal_) manager_.reloading();
  renews_ = std::exchange(renewal_, false);
  if (!renews_) seats_.forget_told();
  if (renews_) present_ = [settings = group_->plan().settings] { return settings; };
  auto begun =
      Reload::begin({renews_ ? present_ : reread_, rollout_, *group_, inherited_, launch(Unusable::left_out)},
                    [this](const Result<void>& outcome) { end_reload(outcome); });
  if (!begun) return refuse_reload(begun.error().message);
  reload_ = std::move(*begun);
}

void Supervisor::end_reload(const Result<void>& outcome) {
  if (!outcome) return refuse_reload(outcome.error().message);
  commit_reload();
}

void Supervisor::refuse_reload(const std::string& why) {
  std::string sentence = "not reloaded, and nothing changes: " + why;
  std::replace(sentence.begin(), sentence.end(), '\n', ';');  // several mistakes
  // A renewed certificate may be half written, so the watch waits before it complains.
  const bool waits = renews_ && named_files_watch_.asks();
  named_files_watch_.refused(waits ? why : "");
  if (!waits) log(LogLevel::error, sentence);
  if (!renews_) manager_.ready(sentence);
  control_.reload_ended(fail(sentence));
  abandon_reload();
  rollout_.wake();
}

void Supervisor::abandon_reload() {
  if (reload_ == nullptr) return;
  retired_.add(reload_->abandon());
  reload_.reset();
}

// Closes the last references to unwanted sockets first, and then tells the workers that still accept from
// them.
void Supervisor::commit_reload() {
  const std::unique_ptr<WorkerGroup> old = std::exchange(group_, reload_->take_group());
  std::vector<CertificateFacts> certificates = reload_->certificates();
  reload_->commit(*group_);
  reload_.reset();
  set_log(group_->plan().settings.log_level, "supervisor");
  old->close_listeners();
  for (const WorkerProcess* worker : old->workers()) watchdog_.forget(*old, *worker);
  retired_.retire(*old);
  log(LogLevel::info, "reloaded");
  if (const auto warning = kernel_tls_warning(group_->plan())) log(LogLevel::warning, *warning);
  certificates_.take(std::move(certificates));
  named_files_watch_.serve(group_->shared_plan());
  manager_.ready(serves());
  control_.reload_ended("reloaded\n");
}

}  // namespace sluice
