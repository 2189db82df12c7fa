#include "process/restart_pace.h"

#include <algorithm>

namespace sluice {

std::uint64_t RestartPace::ended(bool was_ready, std::size_t slots, std::uint64_t now_ms) {
  if (now_ms - last_ms_ >= kCalmMs) streak_ = 0;
  last_ms_ = now_ms;
  ++streak_;
  const std::uint64_t least_ms = was_ready ? 0 : kRetryMs;
  const std::size_t at_once = kAtOnce + slots;
  if (streak_ <= at_once) return least_ms;
  constexpr std::size_t kDoublingsMax = 5;
  return std::min(kWaitMaxMs, kRetryMs << std::min(streak_ - at_once - 1, kDoublingsMax));
}

}  // namespace sluice
