// What each worker has under way of a thing of which all workers together may have so much. It is in memory
// that they share: a row for each name, and in it a count for each worker. A worker changes only its own
// counts, by its seat. So what it had is given back by setting those counts to 0 when it is gone.
//
// A table of fixed size. A name belongs to one bucket of kWays rows. A row in which all counts are 0 gives way
// to another name; a name for which there is no row is not counted, and what it claims is granted. While
// another worker makes room, what finds none is refused. Nothing is allocated, nothing waits, and no entry is a
// pointer or an index. A worker that writes nonsense here makes counts wrong: those of its own seat, and of
// seats that are free, until it is gone; those of another worker until that one is gone, too.
//
// INVARIANT: as long as every name has a row, the workers together never have more than they may. A claim
// counts first, and is taken back if the sum is too large. So of two workers that claim the last one at once,
// both may be refused.
//
// Any process; of one seat, one thread.
#pragma once

#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "base/shared_mapping.h"
#include "base/shared_name.h"

namespace sluice {

class WorkerClaims {
 public:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kBuckets = 2048;
  static constexpr unsigned kSeats = 512;

  using Seats = std::bitset<kSeats>;
  static_assert(kSeats <= 1U << SharedName::kSeatBits);

  static Result<WorkerClaims> make();

  // Granted: there is no room for the name, and nothing to give back.
  enum class Claimed : std::uint8_t { refused, counted, granted };
  // One more for this seat, unless all of them have `max` already.
  Claimed claim(unsigned seat, const SharedName& name, std::uint32_t max) const;
  // One less. Nothing happens if this seat has none.
  void give_back(unsigned seat, const SharedName& name) const;
  // What all seats have.
  std::uint64_t sum(const SharedName& name) const;
  // Seats that are not taken have nothing, and no row marked. Of all seats, the first `seats` are counted.
  // REQUIRES: the supervisor; the processes of seats that are not taken are gone.
  void sweep(const Seats& taken, unsigned seats) const;

  // What a worker may leave behind: the row of a name that is known, marked by this seat, and a count.
  void mark_for_test(unsigned seat, const SharedName& name) const;
  void write_for_test(unsigned seat, const SharedName& name, std::uint32_t value) const;

 private:
  static constexpr std::size_t kRows = kBuckets * kWays;
  static constexpr unsigned kSeatsInPlane = 16;  // the counts of so many seats are one cache line
  static constexpr unsigned kPlanes = kSeats / kSeatsInPlane;
  struct Row {
    alignas(64) std::atomic<std::uint32_t> counts[kSeatsInPlane];
  };
  struct Table {
    std::atomic<std::uint32_t> planes;       // in use; those behind have no page
    std::atomic<std::uint64_t> tags[kRows];  // 0: free
    Row rows[kPlanes][kRows];
  };

  explicit WorkerClaims(SharedMapping<Table> table) : table_(std::move(table)) {}
  static std::size_t first_row(const SharedName& name) { return name.place % kBuckets * kWays; }
  std::atomic<std::uint32_t>& count(unsigned seat, std::size_t row) const {
    return table_->rows[seat / kSeatsInPlane][row].counts[seat % kSeatsInPlane];
  }
  unsigned planes() const;
  std::uint64_t row_sum(std::size_t row) const;
  std::uint64_t sum_of(std::size_t first, std::uint64_t tag) const;
  std::size_t find(std::size_t first, std::uint64_t tag) const;
  std::size_t take_row(unsigned seat, std::size_t first, std::uint64_t tag, bool& is_full) const;
  bool take_one(unsigned seat, std::size_t row) const;

  SharedMapping<Table> table_;
};

}  // namespace sluice
