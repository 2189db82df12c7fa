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

std::uint64_t WorkerClaims::row_sum(std::size_t row) const {
  std::uint64_t sum = 0;
  const unsigned planes = std::clamp(table_->planes.load(std::memory_order_relaxed), 1U, kPlanes);
  for (unsigned plane = 0; plane < planes; ++plane) {
    for (const std::atomic<std::uint32_t>& count : table_->rows[plane][row].counts) sum += count.load();
  }
  return sum;
}

// Workers that have entered the same name at once have a row each.
std::uint64_t WorkerClaims::sum_of(std::size_t first, std::uint64_t tag) const {
  std::uint64_t sum = 0;
  for (std::size_t row = first; row < first + kWays; ++row) {
    if ((table_->tags[row].load() & ~SharedName::kMark) == tag) sum += row_sum(row);
  }
  return sum;
}

std::size_t WorkerClaims::find(std::size_t first, std::uint64_t tag) const {
  for (std::size_t row = first; row < first + kWays; ++row) {
    if (table_->tags[row].load() == tag) return row;
  }
  return kNoRow;
}

// A marked row is about to have another name. The rest of its tag is the present one.
//
// A worker that claims counts first and looks at the name then; the one that takes the row marks the name first
// and looks at the counts then. So at least one of them sees the other.
std::size_t WorkerClaims::take_row(std::size_t first, std::uint64_t tag) const {
  for (std::size_t row = first; row < first + kWays; ++row) {
    std::uint64_t present = table_->tags[row].load();
    if ((present & SharedName::kMark) != 0 || row_sum(row) != 0) continue;
    std::uint64_t marked = present | SharedName::kMark;
    if (!table_->tags[row].compare_exchange_strong(present, marked)) continue;
    if (row_sum(row) == 0 && table_->tags[row].compare_exchange_strong(marked, tag)) return row;
    table_->tags[row].compare_exchange_strong(marked, present);
  }
  return kNoRow;
}

bool WorkerClaims::claim(unsigned seat, const SharedName& name, std::uint32_t max) const {
  const std::size_t first = first_row(name);
  const std::uint64_t tag = name.entry();
  for (int tried = 0; tried < kClaimTries; ++tried) {
    std::size_t row = find(first, tag);
    if (row == kNoRow) row = take_row(first, tag);
    if (row == kNoRow) continue;
    count(seat, row).fetch_add(1);
    if (table_->tags[row].load() == tag) {
      if (sum_of(first, tag) <= max) return true;
      count(seat, row).fetch_sub(1);
      return false;
    }
    count(seat, row).fetch_sub(1);  // the row has another name by now
  }
  return max != 0;
}

void WorkerClaims::give_back(unsigned seat, const SharedName& name) const {
  const std::size_t first = first_row(name);
  const std::uint64_t tag = name.entry();
  for (std::size_t row = first; row < first + kWays; ++row) {
    if ((table_->tags[row].load() & ~SharedName::kMark) != tag || count(seat, row).load() == 0) continue;
    count(seat, row).fetch_sub(1);
    return;
  }
}

std::uint64_t WorkerClaims::sum(const SharedName& name) const {
  return sum_of(first_row(name), name.entry());
}

void WorkerClaims::open(unsigned seat) const {
  const std::uint32_t planes = seat / kSeatsInPlane + 1;
  if (table_->planes.load() < planes) table_->planes.store(planes);
}

void WorkerClaims::clear(unsigned seat) const {
  for (std::size_t row = 0; row < kRows; ++row) {
    if (count(seat, row).load(std::memory_order_relaxed) != 0) count(seat, row).store(0);
    std::uint64_t present = table_->tags[row].load(std::memory_order_relaxed);
    if ((present & SharedName::kMark) != 0)
      table_->tags[row].compare_exchange_strong(present, present & ~SharedName::kMark);
  }
}

}  // namespace sluice
