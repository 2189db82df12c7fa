// Numbers with names, in memory that all workers share. Modules count by it over all workers.
//
// A table of fixed size. A name belongs to one bucket of kWays numbers; if the bucket is full, the number that
// was not used for longest gives way to a new one. Nothing is allocated, nothing waits, and no entry is a
// pointer or an index. So a worker that writes nonsense here makes numbers wrong, and nothing else.
//
// A number that is known changes by one atomic operation, so no change is lost. A new one is entered in two
// steps: its way is marked, then the number and its name are written. Nobody waits for a worker that is stopped
// between the two: another way is taken, and where all are marked, the change fails. There are two bounds, each
// of one change: two workers that enter the same name at once may make two numbers of it, of which the first
// one in the bucket counts; and a change may reach a number that takes the place of its own in the same
// instant.
//
// Any process; of one seat, one thread.
#pragma once

#include <sluice/abi.h>

#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>

#include "base/shared_mapping.h"
#include "base/shared_name.h"

namespace sluice {

class SharedNumbers {
 public:
  static constexpr unsigned kWays = 8;
  static constexpr std::uint64_t kBuckets = 8192;
  static constexpr unsigned kSeats = 1U << SharedName::kSeatBits;

  static Result<SharedNumbers> make();

  // 0 if it is not known. `now_ms` is of one clock for all processes.
  std::uint64_t get(const SharedName& name, std::uint64_t now_ms) const;
  // Makes it `to` if it is `from`. No room: it is new and all ways are being entered.
  Changed change(unsigned seat, const SharedName& name, std::uint64_t from, std::uint64_t to,
                 std::uint64_t now_ms) const;
  // Adds, and returns the sum. It wraps around. Where all ways are being entered, the sum is not kept.
  std::uint64_t add(unsigned seat, const SharedName& name, std::uint64_t by, std::uint64_t now_ms) const;
  // Frees the ways that seats which are not taken have marked. REQUIRES: their processes are gone.
  void free_marked(const std::bitset<kSeats>& taken) const;
  // What a worker may leave behind: ways of the name's bucket, marked by this seat.
  void mark_for_test(unsigned seat, const SharedName& name, unsigned ways) const;

 private:
  struct alignas(64) Bucket {
    std::atomic<std::uint64_t> tags[kWays];  // 0: free
    std::atomic<std::uint64_t> values[kWays];
    std::atomic<std::uint32_t> used_ms[kWays];
  };
  struct Table {
    Bucket buckets[kBuckets];
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  explicit SharedNumbers(SharedMapping<Table> table) : table_(std::move(table)) {}
  Bucket& bucket_of(const SharedName& name) const { return table_->buckets[name.place % kBuckets]; }
  static int find(Bucket& bucket, std::uint64_t tag, std::uint64_t now_ms);
  enum class Entered : std::uint8_t { yes, known, busy };
  static Entered enter(unsigned seat, Bucket& bucket, std::uint64_t tag, std::uint64_t value,
                       std::uint64_t now_ms);
  static bool is_being_entered(const Bucket& bucket, std::uint64_t tag);
  static int oldest(const Bucket& bucket, std::uint64_t now_ms);

  SharedMapping<Table> table_;
};

}  // namespace sluice
