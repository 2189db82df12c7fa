// Sees to it that a worker does not outlive its supervisor. Its loop notices the end by itself and drains; one
// that is held up would keep its address, with nobody there to end it.
//
// A thread of its own, which only looks: when the supervisor has ended, and a turn of the loop takes too long,
// or everything takes longer than draining may, the process is killed.
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
  // A turn that takes so long after the supervisor's end is the last one.
  static constexpr std::uint64_t kTurnMs = 1'000;

  // `control`: the other end is the supervisor's; it stays the caller's. `limit_ms`: for all that is left to do
  // after its end. `stats` outlives this.
  static Result<std::unique_ptr<Lifeline>> start(const WorkerStats& stats, int control, std::uint64_t limit_ms);
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  Lifeline(const WorkerStats& stats, std::uint64_t limit_ms) : stats_(stats), limit_ms_(limit_ms) {}
  void run() const;
  // Until `fd` tells of an end, for at most `wait_ms`; -1 for none, or no limit. False when this has been told
  // to end meanwhile.
  bool wait(int fd, int wait_ms) const;

  const WorkerStats& stats_;
  const std::uint64_t limit_ms_;
  UniqueFd control_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace sluice
