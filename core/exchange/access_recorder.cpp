#include "exchange/access_recorder.h"

#include <unistd.h>

#include <ctime>

#include "base/kept_memory.h"

namespace sluice {

AccessRecorder::AccessRecorder(const AccessPlace& place, WorkerStats& stats) : place_(place), stats_(stats) {
  place_.ring->own();
  time_.at(0);
}

void AccessRecorder::record(const SitePlan& site, AccessFacts& facts) {
  constexpr std::size_t kLineKeptMax = 8 * 1024;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  facts.local_time = time_.at(now.tv_sec);
  facts.ended_us =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  line_.clear();
  const bool json = site.settings.access_log_format == AccessLogFormat::json;
  json ? append_json(line_, facts) : append_combined(line_, facts);
  if (!place_.ring->push(site.access_log, line_)) stats_.access_lines_dropped.add();
  give_back_above(line_, kLineKeptMax);
  if (place_.rings->writer_sleeps.load(std::memory_order_seq_cst) == 0) return;
  if (place_.rings->writer_sleeps.exchange(0) == 0) return;
  const std::uint64_t one = 1;
  // The counter of an eventfd takes this without blocking. A writer that is gone needs no waking.
  [[maybe_unused]] const ssize_t written = ::write(place_.wake_fd, &one, sizeof(one));
}

}  // namespace sluice
