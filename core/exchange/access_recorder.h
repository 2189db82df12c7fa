// Writes the lines of a worker's access log into its ring. One for each worker; loop thread.
#pragma once

#include <cstdint>

#include "http/access_line.h"
#include "settings/site_plan.h"
#include "telemetry/access_ring.h"
#include "telemetry/worker_stats.h"

namespace sluice {

class AccessRecorder {
 public:
  // REQUIRES: the place has rings. Reads the file of the time zone, so that no request waits for it.
  AccessRecorder(const AccessPlace& place, WorkerStats& stats);

  // Whether the requests of this site are logged.
  bool wants(const SitePlan& site) const { return site.access_log != SitePlan::kNoLog; }
  // Whether they are logged with all facts.
  static bool is_detailed(const SitePlan& site) {
    return site.settings.access_log_format == AccessLogFormat::json;
  }
  // Completes the facts by the time, and logs them. `arrived_ns`: of the head, for the detailed form; 0 if
  // there was none. REQUIRES: wants(site).
  void record(const SitePlan& site, AccessFacts& facts, std::uint64_t arrived_ns = 0);
  // Counts a line that could not be logged.
  void lose() { stats_.access_lines_dropped.add(); }

 private:
  const AccessPlace place_;
  WorkerStats& stats_;
  AccessTime time_;
  LineBuffer line_;
};

}  // namespace sluice
