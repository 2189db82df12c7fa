// Lines of the access log on their way from a worker to the process that writes them, in memory that both
// share. When nobody takes them, the ring is full, and further lines are dropped and counted: a worker never
// waits. The lines of a worker that crashed stay, and are written.
//
// One thread of the worker pushes, and one of the writer takes. All bytes may be zero, so fresh pages of
// mmap(2) are valid. The writer copies what it reads, and checks each number first. A worker that was taken
// over can spoil the lines of others, but not the writer.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "telemetry/counters.h"

namespace sluice {

// Worker and writer have cache lines of their own.
class AccessRing {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  static constexpr std::size_t kSize = 256 * 1024;  // a power of two
  static constexpr std::size_t kLineMax = 128 * 1024;

  enum class Pushed : std::uint8_t { yes, half_full, dropped };
  // For the worker. `log` is an index of its plan's logs. `half_full` when the ring becomes so by this line.
  Pushed push(std::uint16_t log, std::string_view line);

  // For the writer. Appends one line to the text to which `place(log)` points, if to any; false if there is no
  // line. A ring that makes no sense is emptied, and `broken` is set.
  template <typename Place>
  bool take(Place&& place, bool& broken) {
    const Head head = next(broken);
    if (head.size == 0) return false;
    if (std::string* lines = place(static_cast<std::uint16_t>(head.log))) append_next(*lines, head.size);
    pass(head.size);
    return true;
  }
  // The lines that were dropped since the last call.
  std::uint64_t take_dropped();

 private:
  struct Head {
    std::uint32_t size;
    std::uint32_t log;
  };

  void copy_in(std::uint64_t at, const void* bytes, std::size_t size);
  void copy_out(std::uint64_t at, void* bytes, std::size_t size) const;
  // Of the next line. Its size is 0 if there is none.
  Head next(bool& broken);
  void append_next(std::string& lines, std::size_t size) const;
  void pass(std::size_t size);

  std::atomic<std::uint64_t> pushed_{0};             // bytes, ever; the worker writes it
  Counter dropped_;                                  // lines, ever
  alignas(64) std::atomic<std::uint64_t> taken_{0};  // bytes, ever; the writer writes it
  Counter told_;                                     // of dropped_
  alignas(64) char bytes_[kSize];
};

// Who uses a ring. The supervisor lends it to a worker, and gives it up when that has ended. The writer takes
// what is left, and frees it.
class AccessRingUse {
 public:
  bool is_free() const { return use_.load(std::memory_order_acquire) == kFree; }
  bool is_left() const { return use_.load(std::memory_order_acquire) == kLeft; }
  // `plan` is the number under which the writer knows the logs of the worker's settings.
  void lend(std::uint32_t plan);
  std::uint32_t plan() const { return plan_.load(std::memory_order_relaxed); }
  // The worker is this process.
  void own();
  bool has_worker() const;
  void leave() { use_.store(kLeft, std::memory_order_release); }
  // REQUIRES: is_left(), and nothing was in the ring after that.
  void free() { use_.store(kFree, std::memory_order_release); }

 private:
  enum : std::uint32_t { kFree, kLent, kLeft };
  std::atomic<std::uint32_t> use_{kFree};
  std::atomic<std::uint32_t> plan_{0};
  std::atomic<std::int32_t> worker_{0};  // its process
};

// The rings of all workers, those that a reload replaces, too.
struct AccessRings {
  static constexpr std::size_t kCount = 1024;
  // The writer sleeps, so whoever pushes a line has to wake it.
  std::atomic<std::uint32_t> writer_sleeps{0};
  AccessRingUse uses[kCount];
  AccessRing rings[kCount];
};

// Where a worker's lines go. Without rings nothing is logged.
struct AccessPlace {
  AccessRings* rings = nullptr;
  std::size_t index = 0;
  int wake_fd = -1;  // an eventfd(2) that wakes the writer

  AccessRing& ring() const { return rings->rings[index]; }
  AccessRingUse& use() const { return rings->uses[index]; }
  // Never blocks: the counter of an eventfd has room.
  void wake() const;
};

struct UnmapRings {
  void operator()(AccessRings* rings) const;
};
using SharedRings = std::unique_ptr<AccessRings, UnmapRings>;

// Maps the rings. A page takes memory when it is first used.
Result<SharedRings> map_rings();

}  // namespace sluice
