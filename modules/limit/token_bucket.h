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

struct Taken {
  std::uint64_t full_ns = 0;  // the bucket from now on
  std::uint64_t wait_ns = 0;  // 0: a token was taken. Otherwise there will be one in so many ns.
};

// Takes a token of the bucket that will be full at `full_ns`. An empty bucket fills up within the time of a
// burst, so a number that says otherwise is taken for an empty bucket.
inline Taken take_token(const Rate& rate, std::uint64_t full_ns, std::uint64_t now_ns) {
  const std::uint64_t latest = now_ns + rate.interval_ns * rate.burst;
  const std::uint64_t present = std::clamp(full_ns, now_ns, latest);
  const std::uint64_t after = present + rate.interval_ns;
  if (after > latest) return {present, after - latest};
  return {after, 0};
}

}  // namespace sluice::limit
