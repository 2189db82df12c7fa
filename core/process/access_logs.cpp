#include "process/access_logs.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace

AccessLogs::~AccessLogs() {
  control_.reset();
  if (pid_ > 0) reap_until(pid_, monotonic_ms() + kLastLinesMs);
}

AccessLease AccessLogs::lend(const PlanPtr& plan) {
  if (plan->access_logs.empty()) return {};
  const auto ready = [&]() -> Result<void> {
    if (pid_ <= 0) {
      if (const auto started = start(); !started) return started;
    }
    if (plan_.lock() == plan) return {};
    ++number_;
    plan_ = plan;
    return tell_paths(*plan);
  }();
  if (!ready) {
    log(LogLevel::error, "a worker writes no access log: " + ready.error().message);
    return {};
  }
  for (AccessRing& ring : rings_->rings) {
    if (!ring.is_free()) continue;
    ring.lend(number_);
    return AccessLease({&ring, rings_.get(), wake_.get()});
  }
  log(LogLevel::error, "a worker writes no access log: too many workers have one");
  return {};
}

Result<void> AccessLogs::start() {
  if (rings_ == nullptr) {
    auto rings = map_rings();
    if (!rings) return Unexpected(rings.error());
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return fail_errno("cannot make a descriptor that wakes the writer of access logs", errno);
    rings_ = std::move(*rings);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("cannot make a socket pair for the writer of access logs", errno);
  control_.reset(ends[0]);
  const UniqueFd writer_end(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) return fail_errno("cannot fork the writer of access logs", errno);
  if (pid_ > 0) return {};
  close_others_();
  control_.reset();
  run_access_log_writer(*rings_, wake_.get(), writer_end.get());
}

Result<void> AccessLogs::tell_paths(const ServingPlan& plan) {
  for (std::size_t i = plan.access_logs.size(); i-- > 0;) {
    if (!send_message(control_.get(), {AccessLogMessage::Kind::log, number_, static_cast<std::uint16_t>(i),
                                       plan.access_logs[i]}))
      return fail_errno("cannot tell the writer of access logs", errno);
  }
  return {};
}

void AccessLogs::reopen() {
  if (pid_ > 0 && !send_message(control_.get(), {AccessLogMessage::Kind::reopen}))
    log(LogLevel::error, "the access logs are not opened anew: their writer is held up; send USR1 again");
}

bool AccessLogs::child_ended(pid_t pid) {
  if (pid != pid_) return false;
  pid_ = -1;
  log(LogLevel::error, "the writer of access logs has ended: another one is started");
  auto again = start();
  if (const PlanPtr plan = plan_.lock(); again && plan != nullptr) again = tell_paths(*plan);
  if (!again) log(LogLevel::error, "no access log is written: " + again.error().message);
  return true;
}

}  // namespace sluice
