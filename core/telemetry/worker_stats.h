// What a worker counts, in memory that it shares with the supervisor.
//
// Each number has one writer (a worker's loop, or one offload thread for its note) and any number of readers in
// other threads and processes; all are lock-free atomics, read in no particular order. Everything here is zero
// at first, so that fresh pages of mmap(2) are valid WorkerStats.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "telemetry/call_note.h"

namespace sluice {

// A number that only its one writer changes: a plain load and store, no locked instruction.
class Counter {
 public:
  void add(std::uint64_t by = 1) { set(get() + by); }
  void subtract(std::uint64_t by = 1) { set(get() - by); }
  void raise_to(std::uint64_t value) {
    if (value > get()) set(value);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

// Durations by powers of two: bucket i counts those below 2^i microseconds, the last one all longer ones.
class DurationHistogram {
 public:
  static constexpr unsigned kBuckets = 24;

  void add(std::uint64_t nanoseconds) {
    const auto width = static_cast<unsigned>(std::bit_width(nanoseconds / 1000));
    buckets_[width < kBuckets ? width : kBuckets - 1].add();
    total_ns_.add(nanoseconds);
    longest_ns_.raise_to(nanoseconds);
  }
  void absorb(const DurationHistogram& other);
  std::uint64_t count() const;
  std::uint64_t bucket(unsigned index) const { return buckets_[index].get(); }
  std::uint64_t total_ns() const { return total_ns_.get(); }
  std::uint64_t longest_ns() const { return longest_ns_.get(); }

 private:
  Counter buckets_[kBuckets];
  Counter total_ns_;
  Counter longest_ns_;
};

// A short text that is written once and then published.
class Label {
 public:
  static constexpr std::size_t kSizeMax = 59;  // longer texts are cut

  void set(std::string_view text) {
    std::snprintf(text_, sizeof(text_), "%.*s", static_cast<int>(text.size()), text.data());
    published_.store(1, std::memory_order_release);
  }
  // Empty until set. Another process may write anything here, so that its end is looked for no further than it
  // can be.
  std::string_view get() const {
    if (published_.load(std::memory_order_acquire) != 1) return {};
    return {text_, ::strnlen(text_, kSizeMax)};
  }

 private:
  char text_[kSizeMax + 1]{};
  std::atomic<std::uint32_t> published_{0};
};

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

// The module that a note names, empty for none, and its generation. Any process.
std::string_view noted_module(const WorkerStats& stats, std::uint64_t tag);
constexpr std::uint32_t noted_generation(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag >> 32);
}

}  // namespace sluice
