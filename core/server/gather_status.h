// A look at all workers of a running server, for who tells of them. Supervisor's thread; borrows their
// counters.
#pragma once

#include <vector>

#include "control/server_status.h"
#include "process/worker_group.h"
#include "swap/module_rollout.h"

namespace sluice {

// `next` is the group of a reload at work, or null.
ServerView gather_status(const WorkerGroup& group, const ModuleRollout& rollout, const WorkerGroup* next,
                         const std::vector<WorkerProcess*>& retired, std::uint64_t started_ms);

}  // namespace sluice
