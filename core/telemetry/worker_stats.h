// What a worker counts, in memory that it shares with the supervisor.
//
// Each number has one writer (a worker's loop, or one offload thread for its note) and any number of readers in
// other threads and processes; all are lock-free atomics, read in no particular order. Everything here is zero
// at first, so that fresh pages of mmap(2) are valid WorkerStats.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "telemetry/call_note.h"
#include "telemetry/counters.h"
#include "telemetry/fault_snapshot.h"

namespace sluice {

struct ModuleCounter {
  Label name;  // "module.counter"
  Counter value;
};

struct WorkerStats {
  static constexpr unsigned kModulesMax = 256;
  static constexpr unsigned kModuleCountersMax = 512;
  static constexpr unsigned kThreadsMax = 65;  // the loop is 0, offload threads follow

  Counter connections_accepted;
  Counter connections_open;
  Counter connections_refused;   // how often new ones had to wait: no descriptors, memory or place left
  Counter connections_gave_way;  // idle ones that were closed in favour of new ones
  Counter requests;
  Counter answers_by_class[6];  // index 2 for 2xx, ...
  Counter bytes_sent;
  Counter module_faults;  // exceptions and broken contracts
  DurationHistogram turns;
  DurationHistogram net_turns;      // of turns that are audited: see TurnAudit
  Counter loop_sleeps;              // the same
  Counter offload_queued;           // now
  Counter offload_running;          // now
  DurationHistogram offload_waits;  // from being submitted to being given to a thread
  Counter turn_began_ns;            // CLOCK_MONOTONIC; 0 between two turns
  CallNote notes[kThreadsMax];
  Snapshot fault;  // of the thread that a fatal signal met
  Snapshot held;   // of the loop's thread, each time the supervisor asks
  Label modules[kModulesMax];
  DurationHistogram answers[kModulesMax];  // of these modules: from handling to the last byte, in turns' time
  Counter holds[kModulesMax];              // of these modules: Host::hold without its release, now
  ModuleCounter module_counters[kModuleCountersMax];

  // The entry of this name, made at first use; the last one stands for all names that no longer fit.
  // REQUIRES: the loop's thread.
  std::uint32_t module_index(std::string_view name);
  std::uint32_t module_counter_index(std::string_view name);

  // Adds what another process has counted. REQUIRES: no other writer.
  void absorb(const WorkerStats& other);
};

// In memory of its own, which forked processes share.
struct UnmapStats {
  void operator()(WorkerStats* stats) const;
};
using SharedStats = std::unique_ptr<WorkerStats, UnmapStats>;
Result<SharedStats> map_stats();

// The module that a note names; empty for none. Any process.
std::string_view noted_module(const WorkerStats& stats, std::uint64_t tag);

}  // namespace sluice
