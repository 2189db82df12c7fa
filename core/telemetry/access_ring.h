// Lines of the access log on their way from a worker to the process that writes them, in memory that both
// share. When nobody takes them, the ring is full, and further lines are dropped and counted: a worker never
// waits. The lines of a worker that crashed stay, and are written.
//
// One thread of the worker pushes, and one of the writer takes. All bytes may be zero, so fresh pages of
// mmap(2) are valid. The writer trusts nothing in it: it copies what it reads, and checks each number first.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "telemetry/counters.h"

namespace sluice {

class AccessRing {
 public:
  static constexpr std::size_t kSize = 512 * 1024;  // a power of two
  static constexpr std::size_t kLineMax = 128 * 1024;

  // For the supervisor. `plan` is the number under which the writer knows the logs of the worker's settings.
  bool is_free() const { return use_.load(std::memory_order_acquire) == kFree; }
  void lend(std::uint32_t plan);
  // The worker has ended. The writer takes the rest, and frees the ring.
  void leave() { use_.store(kLeft, std::memory_order_release); }

  // For the worker: it is this process.
  void own();
  // For the worker. `log` is an index of the plan's logs. False if the line was dropped.
  bool push(std::uint16_t log, std::string_view line);

  // For the writer. Takes one line; false if there is none. A ring that makes no sense is emptied, and `broken`
  // is set.
  bool take(std::uint16_t& log, std::string& line, bool& broken);
  std::uint32_t plan() const { return plan_.load(std::memory_order_acquire); }
  // Frees it if its worker has ended. REQUIRES: nothing is left in it.
  void free_if_left();
  // Whether a worker's process is there.
  bool has_worker() const;
  // The lines that were dropped since the last call.
  std::uint64_t take_dropped();

 private:
  enum : std::uint32_t { kFree, kLent, kLeft };
  struct Head {
    std::uint32_t size;
    std::uint32_t log;
  };

  void copy_in(std::uint64_t at, const void* bytes, std::size_t size);
  void copy_out(std::uint64_t at, void* bytes, std::size_t size) const;

  std::atomic<std::uint32_t> use_{kFree};
  std::atomic<std::uint32_t> plan_{0};
  std::atomic<std::int32_t> worker_{0};               // its process
  alignas(64) std::atomic<std::uint64_t> pushed_{0};  // bytes, ever; the worker writes it
  Counter dropped_;                                   // lines, ever
  alignas(64) std::atomic<std::uint64_t> taken_{0};   // bytes, ever; the writer writes it
  Counter told_;                                      // of dropped_
  alignas(64) char bytes_[kSize];
};

// The rings of all workers.
struct AccessRings {
  static constexpr std::size_t kCount = 256;
  // The writer sleeps, so whoever pushes a line has to wake it.
  std::atomic<std::uint32_t> writer_sleeps{0};
  AccessRing rings[kCount];
};

// Where a worker's lines go. Without a ring nothing is logged.
struct AccessPlace {
  AccessRing* ring = nullptr;
  AccessRings* rings = nullptr;
  int wake_fd = -1;  // an eventfd(2) that wakes the writer
};

struct UnmapRings {
  void operator()(AccessRings* rings) const;
};
using SharedRings = std::unique_ptr<AccessRings, UnmapRings>;

// Maps the rings. A page takes memory when it is first used.
Result<SharedRings> map_rings();

}  // namespace sluice
