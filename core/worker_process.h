// A worker's process as its supervisor holds it: forked, spoken to through a socket pair, told apart when it
// dies.
//
// Supervisor's thread. The destructor neither stops nor waits for the process; whoever reaps it does.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serving_plan.h"
#include "stats.h"
#include "unique_fd.h"
#include "worker.h"

namespace sluice {

class WorkerProcess {
 public:
  struct Start {
    std::shared_ptr<const ServingPlan> plan;
    unsigned index = 0;
    std::vector<int> sockets;
    int log_fd = -1;  // the worker's end
    // In the child: closes what only the supervisor may hold.
    std::function<void(const std::vector<int>& own_sockets)> close_others;
  };

  static Result<std::unique_ptr<WorkerProcess>> start(const Start& start);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  unsigned index() const { return index_; }
  std::uint64_t started_ms() const { return started_ms_; }  // CLOCK_MONOTONIC
  int control() const { return control_.get(); }
  bool ready() const { return ready_; }
  const WorkerStats& stats() const { return *stats_; }
  void tell(ControlMessage message);
  // Takes in what the worker has said.
  void hear();
  // How it ended, for the log: "was killed by SIGSEGV inside module hello".
  std::string ending(int status) const;

 private:
  WorkerProcess() = default;

  pid_t pid_ = -1;
  unsigned index_ = 0;
  std::uint64_t started_ms_ = 0;
  UniqueFd control_;
  WorkerStats* stats_ = nullptr;  // shared memory, unmapped with this
  bool ready_ = false;
};

}  // namespace sluice
