// Makes sure that a worker does not outlive its supervisor. Normally its loop notices the end and drains. A
// worker whose loop is held up would keep its address, and no supervisor would end it.
//
// A thread of its own watches. When the supervisor has ended, and then a turn of the loop takes too long, or
// everything takes longer than draining may, it kills the process.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "telemetry/worker_stats.h"

namespace sluice {

class Lifeline {
 public:
  // A turn that takes this long after the supervisor's end is the last one.
  static constexpr std::uint64_t kTurnMs = 1'000;

  // `control` stays the caller's; its other end is the supervisor's. `limit_ms` is the time for draining
  // after the supervisor's end. `stats` lives longer.
  static Result<std::unique_ptr<Lifeline>> start(const WorkerStats& stats, int control, std::uint64_t limit_ms);
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  Lifeline(const WorkerStats& stats, std::uint64_t limit_ms) : stats_(stats), limit_ms_(limit_ms) {}
  void run() const;
  // Waits until `fd` reports an end, for at most `wait_ms`; -1 for no fd, or no limit. False when the
  // lifeline was told to end meanwhile.
  bool wait(int fd, int wait_ms) const;

  const WorkerStats& stats_;
  const std::uint64_t limit_ms_;
  UniqueFd control_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace sluice
