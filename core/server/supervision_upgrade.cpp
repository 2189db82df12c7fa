// How a server is replaced by another program without losing a request: both sides, as far as the supervisor
// has a part in it.
#include <unistd.h>

#include <fmt/core.h>
#include <utility>

#include "base/log.h"
#include "server/supervision.h"

namespace sluice {
namespace {

// How long the workers of the new program may take to get ready, beyond the trials of its modules.
constexpr std::uint64_t kProgramReadyMs = 20'000;

}  // namespace

// All workers are ready, and accept as soon as the former server lets them.
Result<void> Supervisor::take_place() {
  const auto heard = takeover_->be_ready(loop_);
  if (!heard) return heard;
  while (!takeover_->may_serve() && !stopping_) {
    loop_.turn();
    if (hopeless_) return fail("a worker could not start; the log says why");
  }
  if (stopping_) return {};
  const pid_t from = takeover_->handover().from;
  const auto accepting = group_->start_accepting();
  if (!accepting) return accepting;
  takeover_.reset();
  group_->own_listeners();
  is_successor_ = true;
  // The former server has given its control socket up by now.
  if (const auto opened = open_control(); !opened) log(LogLevel::error, opened.error().message);
  log(LogLevel::info, fmt::format("took the place of process {}", from));
  return {};
}

void Supervisor::begin_upgrade() {
  const auto refuse = [](std::string_view why) {
    log(LogLevel::error, fmt::format("not upgraded, and this server goes on: {}", why));
  };
  if (leaving_ || stopping_) return refuse("it is stopping");
  if (upgrade_ != nullptr) return refuse("an upgrade is at work");
  if (!serving_ || reload_ != nullptr || rollout_.at_work())
    return refuse("a start, a reload or a change of modules is at work: try again in a moment");
  if (::getpid() == 1) return refuse("process 1 cannot be replaced: start another container");
  Handover handover;
  inherited_.hand_over(handover);
  group_->hand_over(handover);
  if (const auto& keys = group_->plan().ticket_keys; keys != nullptr) handover.ticket_keys = keys->pack();
  const std::uint64_t limit_ms = 2 * std::uint64_t{group_->plan().settings.policy.swap_ms} + kProgramReadyMs;
  auto begun = Upgrade::begin(loop_, std::move(handover), {program_, variables_, limit_ms},
                              [this](const Result<void>& outcome) { end_upgrade(outcome); });
  if (!begun) return refuse(begun.error().message);
  upgrade_ = std::move(*begun);
  log(LogLevel::info, fmt::format("an upgrade begins: process {} executes {}", upgrade_->pid(), program_));
}

void Supervisor::end_upgrade(const Result<void>& outcome) {
  const std::unique_ptr<Upgrade> upgrade = std::move(upgrade_);
  if (!outcome) {
    log(LogLevel::error, "not upgraded, and this server goes on: " + outcome.error().message);
    return rollout_.wake();
  }
  log(LogLevel::info,
      fmt::format("process {} takes this server's place: requests under way end here", upgrade->pid()));
  stopping_ = handed_over_ = true;
  watchdog_.end();
  named_files_watch_.end();
  manager_.hand_over(upgrade->pid());
  control_.server_stops();
  control_.server_ended();
  group_->leave_listeners();
  upgrade->let_serve();
  for (WorkerProcess* worker : all_workers()) worker->tell({ControlMessage::retire});
}

}  // namespace sluice
