// Whether what a client sends comes fast enough: counts bytes, and only the time in which they were waited for.
//
// One a request's body. Loop thread.
#pragma once

#include <cstdint>

#include "http/refusal.h"

namespace sluice {

// For a body that does not.
inline constexpr Refusal kSlowBody = {408, "The body did not come in time."};

class Pace {
 public:
  // A new body.
  void start() { *this = Pace(); }
  // From now on the client is waited for, or is no longer.
  void wait(std::uint64_t now_ms) {
    if (since_ms_ == kNotWaiting) since_ms_ = now_ms;
  }
  void pause(std::uint64_t now_ms) {
    if (since_ms_ == kNotWaiting) return;
    waited_ms_ += now_ms - since_ms_;
    since_ms_ = kNotWaiting;
  }
  void came(std::uint64_t bytes) { bytes_ += bytes; }
  // Whether less than `bytes_min` a second came in the last window, if it is over. The next one then begins.
  // REQUIRES: paused.
  bool too_slow(std::uint64_t window_ms, std::uint64_t bytes_min) {
    if (waited_ms_ < window_ms) return false;
    const bool slow = bytes_ * 1000 < bytes_min * waited_ms_;
    start();
    return slow;
  }

 private:
  static constexpr std::uint64_t kNotWaiting = ~std::uint64_t{0};
  std::uint64_t since_ms_ = kNotWaiting;
  std::uint64_t waited_ms_ = 0;  // in this window
  std::uint64_t bytes_ = 0;      // and what came in it
};

}  // namespace sluice
