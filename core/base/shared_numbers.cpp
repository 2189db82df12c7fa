#include "base/shared_numbers.h"

#include <cstddef>
#include <utility>

namespace sluice {
namespace {

constexpr std::uint64_t kMark = SharedName::kMark;
constexpr int kNoWay = -1;
constexpr int kBeingEntered = -2;  // by another worker, under the same name
constexpr int kEnterTries = 64;
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

// A free way, or the one that was not used for longest.
int SharedNumbers::oldest(Bucket& bucket, std::uint64_t tag, std::uint64_t now_ms) {
  int found = kNoWay;
  std::int64_t longest = -1;
  for (unsigned way = 0; way < kWays; ++way) {
    const std::uint64_t present = bucket.tags[way].load(std::memory_order_acquire);
    if (present == (tag | kMark)) return kBeingEntered;
    if ((present & kMark) != 0) continue;
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

SharedNumbers::Entered SharedNumbers::enter(Bucket& bucket, std::uint64_t tag, std::uint64_t value,
                                            std::uint64_t now_ms) {
  for (int tried = 0; tried < kEnterTries; ++tried) {
    if (find(bucket, tag, now_ms) != kNoWay) return Entered::known;
    const int chosen = oldest(bucket, tag, now_ms);
    if (chosen == kBeingEntered) continue;
    if (chosen == kNoWay) break;
    const auto way = static_cast<std::size_t>(chosen);
    std::uint64_t present = bucket.tags[way].load(std::memory_order_acquire);
    if ((present & kMark) != 0 || !bucket.tags[way].compare_exchange_strong(present, tag | kMark)) continue;
    bucket.values[way].store(value, std::memory_order_relaxed);
    bucket.used_ms[way].store(static_cast<std::uint32_t>(now_ms), std::memory_order_relaxed);
    std::uint64_t marked = tag | kMark;
    if (bucket.tags[way].compare_exchange_strong(marked, tag)) return Entered::yes;
  }
  return Entered::no_room;
}

std::uint64_t SharedNumbers::get(const SharedName& name, std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const int way = find(bucket, name.entry(), now_ms);
  return way == kNoWay ? 0 : bucket.values[static_cast<std::size_t>(way)].load(std::memory_order_acquire);
}

bool SharedNumbers::change(const SharedName& name, std::uint64_t from, std::uint64_t to,
                           std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const std::uint64_t tag = name.entry();
  int way = find(bucket, tag, now_ms);
  if (way == kNoWay) {
    if (from != 0) return false;
    if (enter(bucket, tag, to, now_ms) != Entered::known) return true;
    way = find(bucket, tag, now_ms);
    if (way == kNoWay) return true;  // it has given way again
  }
  return bucket.values[static_cast<std::size_t>(way)].compare_exchange_strong(from, to);
}

std::uint64_t SharedNumbers::add(const SharedName& name, std::uint64_t by, std::uint64_t now_ms) const {
  Bucket& bucket = bucket_of(name);
  const std::uint64_t tag = name.entry();
  int way = find(bucket, tag, now_ms);
  if (way == kNoWay) {
    if (enter(bucket, tag, by, now_ms) != Entered::known) return by;
    way = find(bucket, tag, now_ms);
    if (way == kNoWay) return by;  // it has given way again
  }
  return bucket.values[static_cast<std::size_t>(way)].fetch_add(by) + by;
}

void SharedNumbers::free_marked() const {
  for (Bucket& bucket : table_->buckets) {
    for (std::atomic<std::uint64_t>& tag : bucket.tags) {
      std::uint64_t present = tag.load(std::memory_order_relaxed);
      if ((present & kMark) != 0) tag.compare_exchange_strong(present, 0);
    }
  }
}

}  // namespace sluice
