// The workers that a reload has replaced, while they finish the requests under way. After many more reloads
// they get the drain limit, and are ended when they exceed it.
//
// Supervisor's thread; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "loop/alarm.h"
#include "process/worker_group.h"

namespace sluice {

class DrainingWorkers {
 public:
  // How much longer than the drain limit a worker may take to end by itself.
  static constexpr std::uint64_t kDrainGraceMs = 3'000;

  explicit DrainingWorkers(EventLoop& loop) : loop_(loop) {}

  // Takes over all workers of the group, and tells them to finish.
  void retire(WorkerGroup& group);
  // Takes over workers that are being ended already.
  void add(std::vector<std::unique_ptr<WorkerProcess>> workers);

  std::vector<WorkerProcess*> workers() const;
  WorkerProcess* find(pid_t pid) const;
  void remove(const WorkerProcess& worker);
  void clear() { retired_.clear(); }

 private:
  struct Retired {
    std::unique_ptr<WorkerProcess> process;
    std::uint64_t reload = 0;           // the number of the reload that replaced it
    std::uint64_t drain_ms = 0;         // from its own settings
    std::unique_ptr<Alarm> limit = {};  // null while it may drain without a limit
  };
  static void end(WorkerProcess& worker);

  EventLoop& loop_;
  std::vector<Retired> retired_;
  std::uint64_t reloads_ = 0;
};

}  // namespace sluice
