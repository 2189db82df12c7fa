#include "process/access_logs.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/child_process.h"
#include "base/log.h"
#include "base/monotonic_clock.h"
#include "process/access_log_writer.h"

namespace sluice {
namespace {

// For the last lines, when the server ends.
constexpr std::uint64_t kLastLinesMs = 2'000;
// A writer that ends sooner is started again after this, and one that is held up is told again.
constexpr std::uint64_t kAgainMs = 1'000;

}  // namespace

AccessLease AccessLogs::lend(const PlanPtr& plan) {
  if (plan->access_logs.empty()) return {};
  const std::uint32_t number = number_of(plan);
  if (pid_ <= 0) {
    if (const auto started = start(); !started) {
      log(LogLevel::error, "a worker writes no access log: " + started.error().message);
      return {};
    }
  }
  tell_paths();
  for (std::size_t i = 0; i < AccessRings::kCount; ++i) {
    if (!rings_->uses[i].is_free()) continue;
    rings_->uses[i].lend(number);
    return AccessLease({rings_.get(), i, wake_.get()});
  }
  log(LogLevel::error, "a worker writes no access log: too many workers have one");
  return {};
}

std::uint32_t AccessLogs::number_of(const PlanPtr& plan) {
  forget_unused();
  const auto known =
      std::find_if(told_.begin(), told_.end(), [&](const Told& told) { return told.plan.lock() == plan; });
  if (known != told_.end()) return known->number;
  told_.push_back({++number_, plan, paths_message(number_, plan->access_logs)});
  return number_;
}

// Lines wait in their ring until its plan is told.
void AccessLogs::tell_paths() {
  bool all = true;
  for (Told& told : told_) {
    told.is_sent = told.is_sent || send(told.paths);
    all = all && told.is_sent;
  }
  if (!all) again_.at(monotonic_ms() + kAgainMs);
}

// A plan that is gone, and whose workers have given their rings back.
void AccessLogs::forget_unused() {
  std::erase_if(told_, [&](const Told& told) {
    const auto uses = [&](const AccessRingUse& use) { return !use.is_free() && use.plan() == told.number; };
    if (!told.plan.expired()) return false;
    if (rings_ != nullptr && std::any_of(std::begin(rings_->uses), std::end(rings_->uses), uses)) return false;
    return !told.is_sent || send(forget_message(told.number));
  });
}

bool AccessLogs::send(const std::string& message) const {
  return ::send(control_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(message.size());
}

Result<void> AccessLogs::start() {
  if (rings_ == nullptr) {
    auto rings = map_rings();
    if (!rings) return Unexpected(rings.error());
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return fail_errno("cannot make a descriptor that wakes the writer", errno);
    rings_ = std::move(*rings);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("cannot make a socket pair for its writer", errno);
  control_.reset(ends[0]);
  const UniqueFd writer_end(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) return fail_errno("cannot fork its writer", errno);
  if (pid_ == 0) {
    close_others_();
    control_.reset();
    run_access_log_writer(*rings_, wake_.get(), writer_end.get(), log_pipe_.writing_fd());
  }
  started_ms_ = monotonic_ms();
  for (Told& told : told_) told.is_sent = false;
  return {};
}

void AccessLogs::reopen() {
  if (pid_ > 0 && !send(reopen_message()))
    log(LogLevel::error, "the access logs are not opened anew: their writer is held up; send USR1 again");
}

bool AccessLogs::child_ended(pid_t pid) {
  if (pid != pid_) return false;
  pid_ = -1;
  log(LogLevel::error, "the writer of access logs has ended: another one is started");
  const std::uint64_t now_ms = monotonic_ms();
  again_.at(now_ms - started_ms_ < kAgainMs ? now_ms + kAgainMs : now_ms);
  return true;
}

void AccessLogs::go_on() {
  if (pid_ <= 0) {
    if (const auto started = start(); !started) {
      log(LogLevel::error, "no access log is written: " + started.error().message);
      return again_.at(monotonic_ms() + kAgainMs);
    }
  }
  tell_paths();
}

void AccessLogs::finish() {
  again_.off();
  if (pid_ <= 0 && rings_ != nullptr && start()) tell_paths();  // it has just ended, and lines may be left
  control_.reset();
  if (pid_ > 0) reap_until(pid_, monotonic_ms() + kLastLinesMs);
  pid_ = -1;
  rings_.reset();
}

}  // namespace sluice
