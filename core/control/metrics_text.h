// What a server's workers count, in the text format of Prometheus (version 0.0.4).
//
// A series of a worker has the worker's number, not its process: it adds up all processes that have ever had
// this number, so that nothing is lost when a worker ends, and no counter goes back. What modules count is
// added up over all workers, which bounds the text. Supervisor's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/server_status.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// What workers that have ended had counted, by their number.
class PastCounts {
 public:
  void add(unsigned index, const WorkerStats& ended);
  // With what those count that live.
  std::map<unsigned, std::unique_ptr<WorkerStats>> plus(const std::vector<WorkerView>& living) const;

 private:
  std::map<unsigned, std::unique_ptr<WorkerStats>> counts_;
};

std::string metrics_text(const ServerView& view, const PastCounts& past);

}  // namespace sluice
