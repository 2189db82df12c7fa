// Makes sure that a worker does not outlive its supervisor. Normally its loop notices the end and drains. A
// worker whose loop is held up would keep its address, and no supervisor would end it.
//
// It also finds out for the supervisor what the loop waits for, where /proc tells that to the worker alone.
//
// A thread of its own watches. When the supervisor has ended, and then a turn of the loop takes too long, or
// everything takes longer than draining may, it kills the process.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "telemetry/worker_stats.h"
#include "worker/wait_kind.h"

namespace sluice {

class Lifeline {
 public:
  // A turn that takes this long after the supervisor's end is the last one.
  static constexpr std::uint64_t kTurnMs = 1'000;

  // `control` stays the caller's; its other end is the supervisor's. `limit_ms` is the time for draining
  // after the supervisor's end. `stats` lives longer. Each time the eventfd(2) `asked`, which stays the
  // caller's, is written to, the thread tells in `stats` what the loop waits for; -1 for none.
  static Result<std::unique_ptr<Lifeline>> start(WorkerStats& stats, int control, std::uint64_t limit_ms,
                                                 int asked = -1, OwnWait own_wait = OwnWait());
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  Lifeline(WorkerStats& stats, std::uint64_t limit_ms, int asked, OwnWait own_wait)
      : stats_(stats), limit_ms_(limit_ms), asked_(asked), own_wait_(std::move(own_wait)) {}
  void run();
  void tell();
  // Waits until `fd` reports an end, for at most `wait_ms`; -1 for no fd, or no limit. False when the
  // lifeline was told to end meanwhile.
  bool wait(int fd, int wait_ms);

  WorkerStats& stats_;
  const std::uint64_t limit_ms_;
  int asked_;
  const OwnWait own_wait_;
  std::uint64_t told_ = 0;  // how often
  UniqueFd control_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace sluice
