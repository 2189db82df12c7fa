#include "process/draining_workers.h"

#include <fmt/core.h>
#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"

namespace sluice {
namespace {

// A worker may drain without a limit until this many more reloads have happened.
constexpr std::uint64_t kReloadsMax = 8;

}  // namespace

void DrainingWorkers::retire(WorkerGroup& group) {
  ++reloads_;
  for (WorkerProcess* worker : group.workers()) {
    worker->tell({ControlMessage::retire});
    retired_.push_back({group.take(*worker), reloads_, group.plan().settings.timeouts.drain_ms});
  }
  for (Retired& retired : retired_) {
    if (retired.limit != nullptr || retired.reload + kReloadsMax > reloads_) continue;
    WorkerProcess& worker = *retired.process;
    worker.tell({ControlMessage::stop});
    retired.limit = std::make_unique<Alarm>(loop_, [&worker] { end(worker); });
    retired.limit->at(monotonic_ms() + retired.drain_ms + kDrainGraceMs);
  }
}

void DrainingWorkers::add(std::vector<std::unique_ptr<WorkerProcess>> workers) {
  for (auto& worker : workers) retired_.push_back({std::move(worker), reloads_});
}

std::vector<WorkerProcess*> DrainingWorkers::workers() const {
  std::vector<WorkerProcess*> all;
  for (const Retired& retired : retired_) all.push_back(retired.process.get());
  return all;
}

WorkerProcess* DrainingWorkers::find(pid_t pid) const {
  const auto found = std::find_if(retired_.begin(), retired_.end(),
                                  [pid](const Retired& retired) { return retired.process->pid() == pid; });
  return found == retired_.end() ? nullptr : found->process.get();
}

void DrainingWorkers::remove(const WorkerProcess& worker) {
  std::erase_if(retired_, [&](const Retired& retired) { return retired.process.get() == &worker; });
}

void DrainingWorkers::end(WorkerProcess& worker) {
  if (worker.dismissed()) return;
  log(LogLevel::warning,
      fmt::format("worker {} (process {}), which many reloads have replaced, exceeds its drain limit: it "
                  "is ended",
                  worker.index() + 1, worker.pid()));
  worker.dismiss();
}

}  // namespace sluice
