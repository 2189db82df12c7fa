// Whether a client sends a request's body, or takes an answer, fast enough. Counts the bytes, and only the time
// in which the server waited for the client.
//
// One for each direction of a stream. Loop thread.
#pragma once

#include <cstdint>

#include "http/refusal.h"

namespace sluice {

// The refusal of a body that comes too slowly.
inline constexpr Refusal kSlowBody = {408, "The body did not come in time."};

class Pace {
 public:
  // Begins anew.
  void start() { *this = Pace(); }
  // The server begins (wait) or stops (pause) to wait for the client.
  void wait(std::uint64_t now_ms) {
    if (since_ms_ == kNotWaiting) since_ms_ = now_ms;
  }
  void pause(std::uint64_t now_ms) {
    if (since_ms_ == kNotWaiting) return;
    waited_ms_ += now_ms - since_ms_;
    since_ms_ = kNotWaiting;
  }
  void came(std::uint64_t bytes) { bytes_ += bytes; }
  // If the window is over, whether less than `bytes_min` a second came in it; then begins the next window.
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
  std::uint64_t bytes_ = 0;      // that came in this window
};

}  // namespace sluice
