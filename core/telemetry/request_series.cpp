#include "telemetry/request_series.h"

#include <algorithm>

namespace sluice {

void RequestHistogram::add(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const auto bound = std::find_if(kBoundsMs.begin(), kBoundsMs.end(),
                                  [&](std::uint32_t ms) { return nanoseconds <= ms * kNsPerMs; });
  buckets_[bound - kBoundsMs.begin()].add();
  total_ns_.add(nanoseconds);
}

void RequestHistogram::absorb(const RequestHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i].add(other.buckets_[i].get());
  total_ns_.add(other.total_ns_.get());
}

std::uint64_t RequestHistogram::count() const {
  std::uint64_t count = 0;
  for (const Counter& bucket : buckets_) count += bucket.get();
  return count;
}

}  // namespace sluice
