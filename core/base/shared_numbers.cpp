#include "base/shared_numbers.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace sluice {
namespace {

constexpr int kNoWay = -1;
constexpr int kEnterTries = 64;
constexpr int kWaitTries = 32;
// Clocks are read once a turn of a loop, so that the others may be ahead of this one.
constexpr std::int32_t kAheadMsMax = 60'000;

}  // namespace

Result<SharedNumbers> SharedNumbers::make() {
  return map_shared<Table>("cannot map memory for numbers that workers share")
      .map([](SharedMapping<Table>&& table) { return SharedNumbers(std::move(table)); });
}

int SharedNumbers::find(Bucket& bucket, std::uint64_t tag, std::uint64_t now_ms) {
  for (unsigned way = 0; way < kWays; ++way) {
    if (bucket.tags[way].load(std::memory_order_acquire) != tag) continue;
    const auto now = static_cast<std::uint32_t>(now_ms);
    if (bucket.used_ms[way].load(std::memory_order_relaxed) != now)
      bucket.used_ms[way].store(now, std::memory_order_relaxed);
    return static_cast<int>(way);
  }
  return kNoWay;
}

// A free way, or the one that was not used for longest. None if all are marked.
int SharedNumbers::oldest(const Bucket& bucket, std::uint64_t now_ms) {
  int found = kNoWay;
  std::int64_t longest = -1;
  for (unsigned way = 0; way < kWays; ++way) {
    const std::uint64_t present = bucket.tags[way].load(std::memory_order_acquire);
    if (SharedName::is_marked(present)) continue;
    if (present == 0) return static_cast<int>(way);
    // The subtraction wraps as the clock does.
    const auto age = static_cast<std::int32_t>(static_cast<std::uint32_t>(now_ms) -
                                               bucket.used_ms[way].load(std::memory_order_relaxed));
    const std::int64_t unused_ms = age < -kAheadMsMax ? INT32_MAX : age < 0 ? 0 : age;
    if (unused_ms <= longest) continue;
    longest = unused_ms;
    found = static_cast<int>(way);
  }
  return found;
}

// True if another worker has marked a way of the bucket for this name.
bool SharedNumbers::is_being_entered(const Bucket& bucket, std::uint64_t tag) {
  return std::any_of(std::begin(bucket.tags), std::end(bucket.tags), [tag](const auto& entry) {
    const std::uint64_t present = entry.load(std::memory_order_acquire);
    return SharedName::is_marked(present) && SharedName::unmarked(present) == tag;
  });
}

// Waits in the first tries for a worker that enters the same name; then that one is taken for stopped.
SharedNumbers::Entered SharedNumbers::enter(unsigned seat, Bucket& bucket, std::uint64_t tag,
                                            std::uint64_t value, std::uint64_t now_ms) {
  const std::uint64_t marked = SharedName::marked(tag, seat);
  for (int tried = 0; tried < kEnterTries; ++tried) {
    if (find(bucket, tag, now_ms) != kNoWay) return Entered::known;
    if (tried < kWaitTries && is_being_entered(bucket, tag)) continue;
    const int chosen = oldest(bucket, now_ms);
    if (chosen == kNoWay) continue;
    const auto way = static_cast<std::size_t>(chosen);
    std::uint64_t present = bucket.tags[way].load(std::memory_order_acquire);
    if (SharedName::is_marked(present) || !bucket.tags[way].compare_exchange_strong(present, marked)) continue;
    bucket.values[way].store(value, std::memory_order_relaxed);
    bucket.used_ms[way].store(static_cast<std::uint32_t>(now_ms), std::memory_order_relaxed);
    std::uint64_t expected = marked;
    if (bucket.tags[way].compare_exchange_strong(expected, tag)) return Entered::yes;
  }
  return Entered::busy;
}

std::uint64_t SharedNumbers::get(const SharedName& name, std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const int way = find(bucket, name.entry(), now_ms);
  return way == kNoWay ? 0 : bucket.values[static_cast<std::size_t>(way)].load(std::memory_order_acquire);
}

Changed SharedNumbers::change(unsigned seat, const SharedName& name, std::uint64_t from, std::uint64_t to,
                              std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const std::uint64_t tag = name.entry();
  int way = find(bucket, tag, now_ms);
  if (way == kNoWay) {
    if (from != 0) return Changed::differs;
    const Entered entered = enter(seat, bucket, tag, to, now_ms);
    if (entered != Entered::known) return entered == Entered::yes ? Changed::yes : Changed::no_room;
    way = find(bucket, tag, now_ms);
    if (way == kNoWay) return Changed::no_room;  // it has given way again
  }
  const bool changed = bucket.values[static_cast<std::size_t>(way)].compare_exchange_strong(from, to);
  return changed ? Changed::yes : Changed::differs;
}

std::uint64_t SharedNumbers::add(unsigned seat, const SharedName& name, std::uint64_t by,
                                 std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const std::uint64_t tag = name.entry();
  int way = find(bucket, tag, now_ms);
  if (way == kNoWay) {
    if (enter(seat, bucket, tag, by, now_ms) != Entered::known) return by;
    way = find(bucket, tag, now_ms);
    if (way == kNoWay) return by;  // it has given way again
  }
  return bucket.values[static_cast<std::size_t>(way)].fetch_add(by) + by;
}

void SharedNumbers::free_marked(const std::bitset<kSeats>& taken) const {
  for (Bucket& bucket : table_->buckets) {
    for (std::atomic<std::uint64_t>& tag : bucket.tags) {
      std::uint64_t present = tag.load(std::memory_order_relaxed);
      if (SharedName::is_marked(present) && !taken.test(SharedName::seat_of(present)))
        tag.compare_exchange_strong(present, 0);
    }
  }
}

void SharedNumbers::mark_for_test(unsigned seat, const SharedName& name, unsigned ways) const {
  for (unsigned way = 0; way < ways; ++way)
    bucket_of(name).tags[way].store(SharedName::marked(name.entry(), seat));
}

}  // namespace sluice
