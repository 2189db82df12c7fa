#include "base/worker_claims.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kNoRow = ~std::size_t{0};
constexpr int kClaimTries = 16;

}  // namespace

Result<WorkerClaims> WorkerClaims::make() {
  return map_shared<Table>("cannot map memory for what workers have under way")
      .map([](SharedMapping<Table>&& table) { return WorkerClaims(std::move(table)); });
}

unsigned WorkerClaims::planes() const {
  return std::clamp(table_->planes.load(std::memory_order_relaxed), 1U, kPlanes);
}

std::uint64_t WorkerClaims::row_sum(std::size_t row) const {
  std::uint64_t sum = 0;
  for (unsigned plane = 0; plane < planes(); ++plane) {
    for (const std::atomic<std::uint32_t>& count : table_->rows[plane][row].counts) sum += count.load();
  }
  return sum;
}

// Workers that have entered the same name at once have a row each.
std::uint64_t WorkerClaims::sum_of(std::size_t first, std::uint64_t tag) const {
  std::uint64_t sum = 0;
  for (std::size_t row = first; row < first + kWays; ++row) {
    if (SharedName::unmarked(table_->tags[row].load()) == tag) sum += row_sum(row);
  }
  return sum;
}

std::size_t WorkerClaims::find(std::size_t first, std::uint64_t tag) const {
  for (std::size_t row = first; row < first + kWays; ++row) {
    if (table_->tags[row].load() == tag) return row;
  }
  return kNoRow;
}

// A marked row is about to have another name. The rest of its entry is the present one.
//
// A worker that claims counts first and looks at the name then; the one that takes the row marks the name first
// and looks at the counts then. So at least one of them sees the other.
std::size_t WorkerClaims::take_row(unsigned seat, std::size_t first, std::uint64_t tag, bool& is_full) const {
  is_full = true;
  for (std::size_t row = first; row < first + kWays; ++row) {
    std::uint64_t present = table_->tags[row].load();
    if (!SharedName::is_marked(present) && row_sum(row) != 0) continue;
    is_full = false;
    if (SharedName::is_marked(present)) continue;
    const std::uint64_t marked = SharedName::marked(present, seat);
    if (!table_->tags[row].compare_exchange_strong(present, marked)) continue;
    const bool is_unused = row_sum(row) == 0;
    std::uint64_t expected = marked;
    if (table_->tags[row].compare_exchange_strong(expected, is_unused ? tag : present) && is_unused) return row;
  }
  return kNoRow;
}

WorkerClaims::Claimed WorkerClaims::claim(unsigned seat, const SharedName& name, std::uint32_t max) const {
  const std::size_t first = first_row(name);
  const std::uint64_t tag = name.entry();
  bool was_always_full = true;
  for (int tried = 0; tried < kClaimTries; ++tried) {
    std::size_t row = find(first, tag);
    bool is_full = false;
    if (row == kNoRow) row = take_row(seat, first, tag, is_full);
    was_always_full = was_always_full && is_full;
    if (row == kNoRow) continue;
    count(seat, row).fetch_add(1);
    if (table_->tags[row].load() == tag) {
      if (sum_of(first, tag) <= max) return Claimed::counted;
      take_one(seat, row);
      return Claimed::refused;
    }
    take_one(seat, row);  // the row has another name by now
  }
  return was_always_full && max != 0 ? Claimed::granted : Claimed::refused;
}

bool WorkerClaims::take_one(unsigned seat, std::size_t row) const {
  std::uint32_t present = count(seat, row).load();
  while (present != 0 && !count(seat, row).compare_exchange_weak(present, present - 1)) {
  }
  return present != 0;
}

void WorkerClaims::give_back(unsigned seat, const SharedName& name) const {
  const std::size_t first = first_row(name);
  const std::uint64_t tag = name.entry();
  for (std::size_t row = first; row < first + kWays; ++row) {
    if (SharedName::unmarked(table_->tags[row].load()) == tag && take_one(seat, row)) return;
  }
}

std::uint64_t WorkerClaims::sum(const SharedName& name) const {
  return sum_of(first_row(name), name.entry());
}

void WorkerClaims::sweep(const Seats& taken, unsigned seats) const {
  const unsigned in_use = std::clamp((seats + kSeatsInPlane - 1) / kSeatsInPlane, 1U, kPlanes);
  for (unsigned plane = 0; plane < in_use; ++plane) {
    for (Row& row : table_->rows[plane]) {
      for (unsigned i = 0; i < kSeatsInPlane; ++i) {
        if (!taken.test(plane * kSeatsInPlane + i) && row.counts[i].load(std::memory_order_relaxed) != 0)
          row.counts[i].store(0);
      }
    }
  }
  for (std::atomic<std::uint64_t>& tag : table_->tags) {
    std::uint64_t present = tag.load(std::memory_order_relaxed);
    if (SharedName::is_marked(present) && !taken.test(SharedName::seat_of(present)))
      tag.compare_exchange_strong(present, SharedName::unmarked(present));
  }
  table_->planes.store(in_use);
}

void WorkerClaims::mark_for_test(unsigned seat, const SharedName& name) const {
  const std::size_t row = find(first_row(name), name.entry());
  if (row != kNoRow) table_->tags[row].store(SharedName::marked(name.entry(), seat));
}

void WorkerClaims::write_for_test(unsigned seat, const SharedName& name, std::uint32_t value) const {
  const std::size_t row = find(first_row(name), name.entry());
  if (row != kNoRow) count(seat, row).store(value);
}

}  // namespace sluice
