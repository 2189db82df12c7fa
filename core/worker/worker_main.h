// The life of a worker's process, from the fork to its end.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "module/module_placement.h"
#include "settings/serving_plan.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// What a worker is to serve.
struct WorkerStart {
  PlanPtr plan;
  std::size_t site = 0;
  ModuleSet modules;
  Unusable unusable = Unusable::left_out;
  unsigned index = 0;
  std::vector<int> sockets;
  int log_fd = -1;  // the worker's end
  // In the child: closes what only the supervisor may hold.
  std::function<void(const std::vector<int>& own_sockets)> close_others;
};

// In the forked process. Never returns, so that nothing of the supervisor's is destroyed a second time.
// `supervisor` has forked it, and `control` leads there.
[[noreturn]] void run_worker(const WorkerStart& start, WorkerStats& stats, int control, pid_t supervisor);

}  // namespace sluice
