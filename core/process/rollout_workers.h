// The workers as a change of their modules sees them: they are known by their processes, and take messages.
// Tests put scripted ones in their place. Supervisor's thread.
#pragma once

#include <sys/types.h>

#include <vector>

#include "settings/serving_plan.h"
#include "worker/worker_message.h"

namespace sluice {

class RolloutWorkers {
 public:
  virtual const PlanPtr& shared_plan() const = 0;
  virtual std::vector<pid_t> pids() const = 0;
  // False, with errno set, if the message cannot be sent to the worker: see send_message. REQUIRES: one of
  // `pids`.
  virtual bool tell(pid_t worker, const WorkerMessage& message) const = 0;
  // Ends a worker that takes no message, so that another one starts in its place. REQUIRES: one of `pids`.
  virtual void replace(pid_t worker) const = 0;

 protected:
  ~RolloutWorkers() = default;
};

}  // namespace sluice
