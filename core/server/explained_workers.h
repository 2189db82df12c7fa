// Which workers `sluice explain` asks about a request: those that would get it. Supervisor's thread.
#pragma once

#include <vector>

#include "base/explain_query.h"
#include "process/worker_group.h"

namespace sluice {

// The workers of the address that has the request's port. If no address has it: those of the isolated mount
// whose prefix of the path is longer than any other's, else those of the sites.
std::vector<WorkerProcess*> workers_for(const ExplainQuery& query, const WorkerGroup& workers);

}  // namespace sluice
