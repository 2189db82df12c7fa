// Collects the state of all workers of a running server. Supervisor's thread; borrows the workers' counters.
#pragma once

#include <vector>

#include "control/server_status.h"
#include "process/worker_group.h"
#include "swap/module_rollout.h"

namespace sluice {

// `next` is the new group of a reload under way, or null.
ServerView gather_status(const WorkerGroup& group, const ModuleRollout& rollout, const WorkerGroup* next,
                         const std::vector<WorkerProcess*>& retired, std::uint64_t started_ms);

// Each with the sites that show it.
std::vector<CertificateView> with_sites(const std::vector<CertificateFacts>& certificates,
                                        const ServingPlan& plan);

}  // namespace sluice
