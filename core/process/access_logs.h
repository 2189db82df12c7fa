// The access logs, for the supervisor: the rings of the workers, and the process that empties them. That
// process is started when settings first name a log, and again should it end.
//
// Supervisor's thread; never blocks, but for `finish`.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loop/alarm.h"
#include "process/log_pipe.h"
#include "settings/serving_plan.h"
#include "telemetry/access_ring.h"

namespace sluice {

// A worker's ring, given back when the worker has ended. The copy of a forked process gives nothing back.
class AccessLease {
 public:
  AccessLease() = default;
  explicit AccessLease(const AccessPlace& place) : place_(place), owner_(::getpid()) {}
  ~AccessLease() {
    if (place_.rings != nullptr && owner_ == ::getpid()) place_.use().leave();
  }
  AccessLease(AccessLease&& other) noexcept : place_(std::exchange(other.place_, {})), owner_(other.owner_) {}
  AccessLease& operator=(AccessLease&& other) noexcept {
    std::swap(place_, other.place_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  AccessLease(const AccessLease&) = delete;
  AccessLease& operator=(const AccessLease&) = delete;

  const AccessPlace& place() const { return place_; }

 private:
  AccessPlace place_;
  pid_t owner_ = 0;
};

class AccessLogs {
 public:
  // `close_for_child` closes, in the forked process, what only the supervisor may hold.
  AccessLogs(EventLoop& loop, const LogPipe& log_pipe, std::function<void()> close_for_child)
      : log_pipe_(log_pipe), close_others_(std::move(close_for_child)), again_(loop, [this] { go_on(); }) {}
  ~AccessLogs() { finish(); }
  AccessLogs(const AccessLogs&) = delete;
  AccessLogs& operator=(const AccessLogs&) = delete;

  // A ring for a worker of this plan. If there is none, which is logged, the worker's requests are not.
  AccessLease lend(const PlanPtr& plan);
  // The files are opened anew, as after a rotation has moved them away.
  void reopen();
  // Whether this was the process; if so, another one is started.
  bool child_ended(pid_t pid);
  void close_for_child() { control_.reset(); }
  // Lets the process write its last lines, for a limited time. REQUIRES: all leases were given back.
  void finish();

 private:
  struct Told {
    std::uint32_t number;
    std::weak_ptr<const ServingPlan> plan;
    std::string paths;  // the message
    bool is_sent = false;
  };

  std::uint32_t number_of(const PlanPtr& plan);
  void tell_paths();
  void forget_unused();
  Result<void> start();
  void go_on();
  bool send(const std::string& message) const;

  const LogPipe& log_pipe_;
  std::function<void()> close_others_;
  SharedRings rings_;
  UniqueFd wake_;
  UniqueFd control_;
  pid_t pid_ = -1;
  std::uint64_t started_ms_ = 0;
  Alarm again_;
  std::vector<Told> told_;  // plans whose workers may have rings
  std::uint32_t number_ = 0;
};

}  // namespace sluice
