// A token bucket as one number: the time at which it will be full again. (The generic cell rate algorithm,
// ITU-T I.371, is the same.) Times are in ns of any one clock. Plain values; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::limit {

struct Rate {
  std::uint64_t interval_ns = 0;  // between two tokens; 0: no limit
  std::uint64_t burst = 1;        // tokens that the bucket holds
};

struct TokenBucket {
  std::uint64_t full_ns = 0;

  bool is_full(std::uint64_t now_ns) const { return full_ns <= now_ns; }
  // Takes a token and returns 0. Or leaves the bucket as it is, and returns in how many ns there will be one.
  std::uint64_t take(const Rate& rate, std::uint64_t now_ns) {
    const std::uint64_t after = std::max(full_ns, now_ns) + rate.interval_ns;
    const std::uint64_t latest = now_ns + rate.interval_ns * rate.burst;
    if (after > latest) return after - latest;
    full_ns = after;
    return 0;
  }
};

}  // namespace sluice::limit
