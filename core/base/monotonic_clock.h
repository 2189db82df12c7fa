// The clock for time-outs. It never jumps (CLOCK_MONOTONIC), and is equal in all processes. Any thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace sluice {

inline std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t monotonic_ms() {
  return monotonic_ns() / 1'000'000;
}

}  // namespace sluice
