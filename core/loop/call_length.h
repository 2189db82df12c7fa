// How long the calls of an object are, as its last ones were on average. The loop calls those of long calls
// behind those of short ones, so that many that are at work hold up nobody who asks for little.
//
// Plain values; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice {

enum class CallLength : std::uint8_t { brief, lengthy };

// Eight calls have most of the weight, so a single long one does not count: a process that was interrupted
// seems to take long. An object without calls is between the two kinds.
class CallLengths {
 public:
  static constexpr std::uint64_t kLengthyNs = 64'000;

  CallLength average() const { return eighths_us_ < kLengthy ? CallLength::brief : CallLength::lengthy; }
  void add(std::uint64_t took_ns) {
    constexpr std::uint64_t kLongestUs = 8000;
    const std::uint64_t us = std::min(took_ns / 1000, kLongestUs);
    eighths_us_ = static_cast<std::uint16_t>(eighths_us_ - eighths_us_ / 8 + us);
  }

 private:
  static constexpr std::uint16_t kLengthy = 8 * kLengthyNs / 1000;
  std::uint16_t eighths_us_ = kLengthy / 2;
};

}  // namespace sluice
