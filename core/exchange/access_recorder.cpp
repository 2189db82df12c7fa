#include "exchange/access_recorder.h"

#include <algorithm>
#include <ctime>

#include "base/monotonic_clock.h"

namespace sluice {

AccessRecorder::AccessRecorder(const AccessPlace& place, WorkerStats& stats) : place_(place), stats_(stats) {
  place_.use().own();
  time_.at(0);
}

// The combined format has seconds, for which the coarse clock is cheaper.
void AccessRecorder::record(const SitePlan& site, AccessFacts& facts, std::uint64_t arrived_ns) {
  constexpr std::size_t kRoomKeptMax = 64 * 1024;
  const bool json = is_detailed(site);
  timespec now{};
  line_.clear();
  ::clock_gettime(json ? CLOCK_REALTIME : CLOCK_REALTIME_COARSE, &now);
  if (json) {
    const std::uint64_t now_ns = monotonic_ns();
    if (arrived_ns != 0) facts.took_ns = now_ns - std::min(now_ns, arrived_ns);
    facts.ended_us =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
    append_json(line_, facts);
  } else {
    facts.local_time = time_.at(now.tv_sec);
    append_combined(line_, facts);
  }
  const AccessRing::Pushed pushed = place_.ring().push(site.access_log, line_.text());
  line_.give_back_above(kRoomKeptMax);
  if (pushed == AccessRing::Pushed::dropped) return lose();
  const bool sleeps = place_.rings->writer_sleeps.load(std::memory_order_seq_cst) != 0;
  if (sleeps) place_.rings->writer_sleeps.store(0, std::memory_order_relaxed);
  if (sleeps || pushed == AccessRing::Pushed::half_full) place_.wake();
}

}  // namespace sluice
