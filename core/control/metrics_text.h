// The counts of a server's workers, in the text format of Prometheus (version 0.0.4).
//
// A series of a worker is labelled with the worker's number, not its PID. It adds up all processes that have
// had this number, so no counter goes back when a worker ends. Counts of modules are added up over all workers,
// which bounds the text. Supervisor's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/server_status.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// The counts of workers that have ended, by their number.
class PastCounts {
 public:
  void add(unsigned index, const WorkerStats& ended);
  // Adds the counts of the workers that live.
  std::map<unsigned, std::unique_ptr<WorkerStats>> plus(const std::vector<WorkerView>& living) const;

 private:
  std::map<unsigned, std::unique_ptr<WorkerStats>> counts_;
};

std::string metrics_text(const ServerView& view, const PastCounts& past);

}  // namespace sluice
