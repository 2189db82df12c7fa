// The time that durations and deadlines are measured by: it never jumps. Any thread, any process of the
// machine.
#pragma once

#include <cstdint>
#include <ctime>

namespace sluice {

inline std::uint64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace sluice
