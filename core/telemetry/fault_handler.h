// Takes a snapshot of a worker's thread when a signal or exit(3) is about to end it, or when the supervisor
// wants to know what holds it up. After a fatal signal the process still dies of it, by whatever was in charge
// before. A process that a module forks leaves none.
//
// The handlers are async-signal-safe: they allocate nothing, and write to shared memory only.
#pragma once

#include <memory>

#include "base/error.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// Sent to a worker, it takes a snapshot into WorkerStats::held. By default it is ignored (signal(7)).
inline constexpr int kLookSignal = 23;  // SIGURG

// For the calling process, for good. `stats` must live as long.
void install_fault_handler(WorkerStats& stats);

// Handles the signal as install_fault_handler left it, whatever has been put in its place since.
void restore_signal(int signal);

// Ends the process for what a module did that is found out afterwards: `tag` as in CallNote, 0 for nobody.
[[noreturn]] void end_by_fault(WorkerStats& stats, std::uint64_t tag);

// Gives the calling thread a stack to handle its own stack's overflow on, and its number in the notes. One for
// each thread, for its whole life.
class FaultStack {
 public:
  explicit FaultStack(unsigned thread);
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  std::unique_ptr<char[]> stack_;  // null where the thread has one already
};

}  // namespace sluice
