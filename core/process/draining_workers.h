// The workers that a reload has replaced, while they finish what they have in flight. Those of many reloads ago
// are given the drain limit, and ended when they do not keep to it.
//
// Supervisor's thread; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "process/worker_group.h"

namespace sluice {

class DrainingWorkers {
 public:
  // How long after the drain limit a worker may take to end by itself.
  static constexpr std::uint64_t kDrainGraceMs = 3'000;

  // Takes over all of the group's, and tells them to finish.
  void retire(WorkerGroup& group, std::uint64_t now_ms);
  // Takes over some that are being ended already.
  void add(std::vector<std::unique_ptr<WorkerProcess>> workers);

  std::vector<WorkerProcess*> workers() const;
  WorkerProcess* find(pid_t pid) const;
  void remove(const WorkerProcess& worker);
  void clear() { retired_.clear(); }
  // Ends those that do not keep to the limit.
  void step(std::uint64_t now_ms);

 private:
  struct Retired {
    std::unique_ptr<WorkerProcess> process;
    std::uint64_t reload = 0;    // the number of the one that replaced it
    std::uint64_t drain_ms = 0;  // by its own settings
    std::uint64_t until_ms = 0;  // 0: as long as it takes
  };

  std::vector<Retired> retired_;
  std::uint64_t reloads_ = 0;
};

}  // namespace sluice
