// The life of a worker's process, from the fork to its end.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/shared_state.h"
#include "module/module_placement.h"
#include "settings/serving_plan.h"
#include "telemetry/access_ring.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// What a worker has to serve.
struct WorkerStart {
  PlanPtr plan;
  std::size_t group = 0;  // of ServingPlan::groups
  ModuleSet modules;
  std::string copies;  // the folder of their private copies
  Unusable unusable = Unusable::left_out;
  unsigned index = 0;
  std::vector<ListeningSocket> sockets;
  int log_fd = -1;  // the worker's end of the pipe
  AccessPlace access;
  StatePlace state;
  // Called in the child: closes descriptors that only the supervisor may hold.
  std::function<void(const std::vector<ListeningSocket>& own_sockets)> close_others;
};

// Runs in the forked process. Never returns, so that no object of the supervisor's is destroyed twice.
// `supervisor` is the process that forked it; `control` leads there. By the eventfd(2) `asked` it asks what the
// loop waits for.
[[noreturn]] void run_worker(const WorkerStart& start, WorkerStats& stats, int control, int asked,
                             pid_t supervisor);

}  // namespace sluice
