// How soon a worker that has ended is replaced: at once, unless workers end again and again.
//
// Values; one thread.
#pragma once

#include <cstdint>

namespace sluice {

class RestartPace {
 public:
  // How many may end in a streak before replacements wait, and one more for each slot.
  static constexpr unsigned kAtOnce = 8;
  // A streak is over when no worker has ended for this long.
  static constexpr std::uint64_t kCalmMs = 60'000;
  // A worker that cannot even start would otherwise be started again and again without a pause.
  static constexpr std::uint64_t kRetryMs = 1'000;
  static constexpr std::uint64_t kWaitMaxMs = 30'000;

  // Call it when a worker has ended, unless something else limits such ends. Returns how long its replacement
  // waits, in ms.
  std::uint64_t ended(bool was_ready, std::size_t slots, std::uint64_t now_ms);
  // How many have ended in this streak.
  unsigned streak() const { return streak_; }

 private:
  unsigned streak_ = 0;
  std::uint64_t last_ms_ = 0;
};

}  // namespace sluice
