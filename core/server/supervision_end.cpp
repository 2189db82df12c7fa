// How a server ends: it says that it is not ready, accepts for a while, then drains, and at last kills what is
// left.
#include <fmt/core.h>

#include "base/log.h"
#include "server/supervision.h"

namespace sluice {
namespace {

// What the end may take after the drain: killed workers, the last lines of access logs, copies of modules.
constexpr std::uint64_t kEndMs = 10'000;

}  // namespace

// Each further call ends a stage at once.
void Supervisor::stop() {
  const std::uint32_t lame_duck_ms = group_->plan().settings.timeouts.lame_duck_ms;
  upgrade_.reset();
  if (handed_over_) {
    handed_over_ = false;
    begin_drain();
  } else if (stopping_) {
    forced_ = true;
    kill_all();
  } else if (lame_duck_ms > 0 && serving_ && !leaving_) {
    begin_lame_duck(lame_duck_ms);
  } else {
    begin_drain();
  }
}

// Everything goes on but changes. Who asks whether the server is ready hears that it is not.
void Supervisor::begin_lame_duck(std::uint32_t lame_duck_ms) {
  leaving_ = true;
  end_of_lame_duck_.at(monotonic_ms() + lame_duck_ms);
  log(LogLevel::info,
      fmt::format("stopping: not ready from now on, but connections are accepted for {} ms", lame_duck_ms));
  const std::uint32_t drain_ms = group_->plan().settings.timeouts.drain_ms;
  manager_.stopping(lame_duck_ms + drain_ms + DrainingWorkers::kDrainGraceMs + kEndMs);
  named_files_watch_.end();
  control_.server_stops();
  questions_.forget_texts();
  abandon_reload();
  for (WorkerProcess* worker : all_workers()) worker->tell({ControlMessage::leave});
}

void Supervisor::begin_drain() {
  stopping_ = true;
  end_of_lame_duck_.off();
  watchdog_.end();
  named_files_watch_.end();
  const std::uint32_t drain_ms = group_->plan().settings.timeouts.drain_ms;
  end_of_drain_.at(monotonic_ms() + drain_ms + DrainingWorkers::kDrainGraceMs);
  log(LogLevel::info, fmt::format("stopping: requests under way may end within {} ms", drain_ms));
  manager_.stopping(drain_ms + DrainingWorkers::kDrainGraceMs + kEndMs);
  control_.server_stops();
  questions_.forget_texts();
  abandon_reload();
  group_->close_listeners();  // the workers accept the waiting connections, and close their own sockets
  for (WorkerProcess* worker : all_workers()) worker->tell({ControlMessage::stop});
}

void Supervisor::kill_all() {
  for (WorkerProcess* worker : all_workers()) worker->kill();
}

}  // namespace sluice
