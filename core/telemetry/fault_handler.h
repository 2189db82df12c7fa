// Takes a snapshot of a worker's thread when a signal or exit(3) is about to end the worker, or when the
// supervisor asks what holds its loop up. After a fatal signal the earlier action for that signal still ends
// the process. Processes that a module forks leave no snapshot.
//
// The handlers are async-signal-safe: they allocate nothing, and write to shared memory only.
#pragma once

#include <memory>

#include "base/error.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// A worker that gets this signal takes a snapshot into WorkerStats::held. The default is to ignore it
// (signal(7)).
inline constexpr int kLookSignal = 23;  // SIGURG

// Installs the handlers in the calling process, for its whole life. `stats` must live as long.
void install_fault_handler(WorkerStats& stats);

// Sets the signal's action back to the one after install_fault_handler, in case a module has replaced it.
void restore_signal(int signal);

// Ends the process for a module's fault that is found only after its call. `tag` names the module as in
// CallNote; 0 if it is not known.
[[noreturn]] void end_by_fault(WorkerStats& stats, std::uint64_t tag);

// Gives the calling thread a signal stack, which an overflow of its own stack needs, and the number of its
// note. Each thread has one object of this class for its whole life.
class FaultStack {
 public:
  explicit FaultStack(unsigned thread);
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  std::unique_ptr<char[]> stack_;  // null if the thread had a signal stack already
};

}  // namespace sluice
