#include "process/draining_workers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"

namespace sluice {
namespace {

// A worker may drain without a limit until this many more reloads have happened.
constexpr std::uint64_t kReloadsMax = 8;

}  // namespace

void DrainingWorkers::retire(WorkerGroup& group, std::uint64_t now_ms) {
  ++reloads_;
  for (WorkerProcess* worker : group.workers()) {
    worker->tell({ControlMessage::retire});
    retired_.push_back({group.take(*worker), reloads_, group.plan().settings.timeouts.drain_ms});
  }
  for (Retired& retired : retired_) {
    if (retired.until_ms != 0 || retired.reload + kReloadsMax > reloads_) continue;
    retired.process->tell({ControlMessage::stop});
    retired.until_ms = now_ms + retired.drain_ms + kDrainGraceMs;
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

void DrainingWorkers::step(std::uint64_t now_ms) {
  for (Retired& retired : retired_) {
    if (retired.until_ms == 0 || now_ms < retired.until_ms || retired.process->dismissed()) continue;
    log(LogLevel::warning, "worker " + std::to_string(retired.process->index() + 1) + " (process " +
                               std::to_string(retired.process->pid()) +
                               "), which many reloads have replaced, exceeds its drain limit: it is ended");
    retired.process->dismiss();
  }
}

}  // namespace sluice
