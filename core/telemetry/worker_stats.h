// A worker's counters, notes and snapshots, in memory that it shares with the supervisor.
//
// The worker's loop writes all of them, except the notes of offload threads, which each thread writes itself,
// and what the lifeline's thread tells.
// Other threads and processes read them. All are lock-free atomics, read in no particular order. All bytes may
// be zero, so fresh pages of mmap(2) are valid WorkerStats.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/client_counts.h"
#include "base/error.h"
#include "telemetry/call_note.h"
#include "telemetry/counters.h"
#include "telemetry/fault_snapshot.h"
#include "telemetry/request_series.h"

namespace sluice {

// By what clients of HTTP/2 can cost too much, for metrics.
inline constexpr std::array<std::string_view, 9> kHttp2Floods = {
    "reset", "ping", "settings", "priority", "window", "empty", "unknown", "fields", "unsent"};

// What connections, and streams of HTTP/2, wait for, by their deadlines (DeadlineKind), for metrics: a client's
// head or body, a client that takes its answer, the next request, the handler, the end of a connection, and
// traffic in a tunnel.
inline constexpr std::array<std::string_view, 7> kWaits = {"head",    "body",   "send",  "keepalive",
                                                           "handler", "linger", "tunnel"};

// What a client had too much of when more was refused, in the order of ClientUse, for metrics.
inline constexpr std::array<std::string_view, kClientUses> kClientUseNames = {"connection", "handshake",
                                                                              "request"};

struct ModuleCounter {
  Label name;  // "module.counter"
  Counter value;
};

struct SiteCounters {
  Label name;
  Counter answers_by_class[6];
  Counter bytes_sent;
};

struct TlsFailures {
  Label reason;
  Counter count;
};

struct WorkerStats {
  static constexpr unsigned kModulesMax = 256;
  static constexpr unsigned kModuleCountersMax = 512;
  static constexpr unsigned kSitesMax = 256;
  static constexpr unsigned kTlsFailuresMax = 64;
  static constexpr unsigned kRequestSeriesMax = 512;
  static constexpr unsigned kThreadsMax = 65;  // the loop is 0, offload threads follow

  Counter connections_accepted;
  Counter connections_open;
  Counter connections_refused;   // how often new ones had to wait for a descriptor, memory or --connections-max
  Counter connections_gave_way;  // idle ones that were closed in favour of new ones
  Counter clients_refused[kClientUses];  // what was refused to clients that had as much as they may
  Counter waits[kWaits.size()];          // now; of connections and of streams of HTTP/2
  Counter tls_handshakes;                // that succeeded
  Counter tls_handshakes_resumed;        // of these: of a session that the client had before
  Counter tls_handshakes_failed;
  TlsFailures tls_failures[kTlsFailuresMax];  // of these: by reason
  Counter tls_kernel;                         // connections whose records the kernel makes
  Counter http2_floods[kHttp2Floods.size()];  // HTTP/2 connections closed because a client cost too much
  Counter requests;
  Counter answers_by_class[6];  // index 2 for 2xx, ...
  Counter bytes_sent;
  Counter access_lines_dropped;   // of the access log, because nobody took them in time
  SiteCounters sites[kSitesMax];  // the last one stands for all others that no longer fit
  Counter module_faults;          // exceptions and broken contracts
  DurationHistogram turns;
  DurationHistogram net_turns;      // audited turns only: see TurnAudit
  Counter loop_sleeps;              // audited turns only
  Counter offload_queued;           // now
  Counter offload_running;          // now
  DurationHistogram offload_waits;  // from being submitted to being given to a thread
  Counter turn_began_ns;            // CLOCK_MONOTONIC; 0 between two turns
  Counter confined;                 // bits of confined::
  Counter wait_told;                // by the lifeline's thread, when it is asked: 4 * (how often) + WaitKind
  CallNote notes[kThreadsMax];
  Snapshot fault;  // of the thread that a fatal signal met
  Snapshot held;   // of the loop's thread, each time the supervisor asks
  Label modules[kModulesMax];
  DurationHistogram answers[kModulesMax];  // by module: from handling to the last byte, by the loop's clock
  Counter holds[kModulesMax];              // by module: how often Host::hold was called and not yet released
  ModuleCounter module_counters[kModuleCountersMax];
  RequestSeries request_series[kRequestSeriesMax];  // the last one stands for all that no longer fit

  // The index of this name's entry, which the first call makes. The last entry stands for all names that no
  // longer fit. REQUIRES: the loop's thread.
  std::uint32_t module_index(std::string_view name);
  std::uint32_t module_counter_index(std::string_view name);
  std::uint32_t site_index(std::string_view name);
  std::uint32_t tls_failure_index(std::string_view reason);
  std::uint32_t request_series_index(std::string_view site, std::string_view route, std::uint64_t kind);

  // Of the site with this number in the worker's plan.
  SiteCounters& site(std::size_t number) { return sites[number < kSitesMax ? number : kSitesMax - 1]; }

  // Adds the counts of another process. REQUIRES: no other writer.
  void absorb(const WorkerStats& other);
};

// WorkerStats in pages of their own, which forked processes share.
struct UnmapStats {
  void operator()(WorkerStats* stats) const;
};
using SharedStats = std::unique_ptr<WorkerStats, UnmapStats>;
Result<SharedStats> map_stats();

// The name of the module that a tag names; empty for none. Any process.
std::string_view noted_module(const WorkerStats& stats, std::uint64_t tag);

}  // namespace sluice
