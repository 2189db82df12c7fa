// How long a stream has waited for each kind of deadline since something has moved. A wait that another one
// interrupts goes on where it was, so that turns between two kinds of wait do not postpone either deadline.
//
// Plain values; any thread. One for each stream.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "loop/deadlines.h"

namespace sluice {

class WaitSums {
 public:
  // Something has moved.
  void restart() { waited_ms_ = {}; }
  // The stream begins (wait) or stops (pause) to wait for this kind.
  void wait(DeadlineKind kind, std::uint64_t now_ms) {
    kind_ = kind;
    since_ms_ = now_ms;
  }
  void pause(std::uint64_t now_ms) {
    if (since_ms_ != kNotWaiting) {
      const auto waited_ms = static_cast<std::uint32_t>(now_ms - since_ms_);
      waited_ms_[static_cast<unsigned>(kind_)] += waited_ms;
      total_ms_[static_cast<unsigned>(kind_)] += waited_ms;
    }
    since_ms_ = kNotWaiting;
  }
  // REQUIRES: paused.
  std::uint64_t waited_ms(DeadlineKind kind) const { return waited_ms_[static_cast<unsigned>(kind)]; }
  // What was waited for longest since the beginning, whatever has moved, and for how long. REQUIRES: paused.
  struct Longest {
    DeadlineKind kind;
    std::uint64_t ms;
  };
  Longest longest() const {
    const auto most = std::max_element(total_ms_.begin(), total_ms_.end());
    return {static_cast<DeadlineKind>(most - total_ms_.begin()), *most};
  }

 private:
  static constexpr std::uint64_t kNotWaiting = ~std::uint64_t{0};
  std::array<std::uint32_t, kDeadlineKinds> waited_ms_{};
  std::array<std::uint32_t, kDeadlineKinds> total_ms_{};
  std::uint64_t since_ms_ = kNotWaiting;
  DeadlineKind kind_ = DeadlineKind::head;
};

}  // namespace sluice
