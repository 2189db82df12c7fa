#include "telemetry/counters.h"

namespace sluice {

void DurationHistogram::absorb(const DurationHistogram& other) {
  for (unsigned i = 0; i < kBuckets; ++i) buckets_[i].add(other.buckets_[i].get());
  total_ns_.add(other.total_ns());
  longest_ns_.raise_to(other.longest_ns());
}

std::uint64_t DurationHistogram::count() const {
  std::uint64_t count = 0;
  for (const Counter& bucket : buckets_) count += bucket.get();
  return count;
}

}  // namespace sluice
