// The workers that a reload has replaced, while they finish the requests under way. After many more reloads
// they get the drain limit, and are ended when they exceed it.
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
  // How much longer than the drain limit a worker may take to end by itself.
  static constexpr std::uint64_t kDrainGraceMs = 3'000;

  // Takes over all workers of the group, and tells them to finish.
  void retire(WorkerGroup& group, std::uint64_t now_ms);
  // Takes over workers that are being ended already.
  void add(std::vector<std::unique_ptr<WorkerProcess>> workers);

  std::vector<WorkerProcess*> workers() const;
  WorkerProcess* find(pid_t pid) const;
  void remove(const WorkerProcess& worker);
  void clear() { retired_.clear(); }
  // Ends the workers that exceed their limit.
  void step(std::uint64_t now_ms);

 private:
  struct Retired {
    std::unique_ptr<WorkerProcess> process;
    std::uint64_t reload = 0;    // the number of the reload that replaced it
    std::uint64_t drain_ms = 0;  // from its own settings
    std::uint64_t until_ms = 0;  // 0: no limit
  };

  std::vector<Retired> retired_;
  std::uint64_t reloads_ = 0;
};

}  // namespace sluice
