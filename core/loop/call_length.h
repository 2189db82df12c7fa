// How long the calls of an object are, as its last ones were on average. The loop calls those of long calls
// behind those of short ones, so that many that are at work hold up nobody who asks for little.
//
// Plain values; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sluice {

// In the order in which they are called. Those that were hardly called yet come between: a client that connects
// again and again is not served before those that have asked for little so far.
enum class CallLength : std::uint8_t { brief, unproven, lengthy };
inline constexpr std::size_t kCallLengths = 3;

// Eight calls have most of the weight, so a single long one does not count: a process that was interrupted
// seems to take long.
class CallLengths {
 public:
  static constexpr std::uint64_t kLengthyNs = 64'000;

  static constexpr std::uint8_t kProofs = 4;  // calls

  CallLength average() const {
    if (eighths_us_ >= kLengthy) return CallLength::lengthy;
    return calls_ < kProofs ? CallLength::unproven : CallLength::brief;
  }
  void add(std::uint64_t took_ns) {
    constexpr std::uint64_t kLongestUs = 256;  // so one call alone does not make a brief object a lengthy one
    const auto us = static_cast<unsigned>(std::min(took_ns / 1000, kLongestUs));
    if (calls_ < kProofs) ++calls_;
    eighths_us_ = (eighths_us_ - eighths_us_ / 8U + us) & kEighthsMax;
  }

 private:
  static constexpr std::uint16_t kLengthy = 8 * kLengthyNs / 1000;
  static constexpr std::uint16_t kEighthsMax = (1U << 13) - 1;  // more than eight times kLongestUs
  std::uint16_t eighths_us_ : 13 = kLengthy / 2;
  std::uint16_t calls_ : 3 = 0;  // up to kProofs
};

}  // namespace sluice
