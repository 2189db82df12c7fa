// The workers of one configuration and the sockets that they accept from: slots, each filled by a process, some
// of them empty while their process is started again.
//
// Supervisor's thread. The sockets are shared with the group that a reload makes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "process/listen_group.h"
#include "process/worker_process.h"
#include "settings/serving_plan.h"

namespace sluice {

class WorkerGroup {
 public:
  // `mounts`: of the first site, as a trial has told.
  WorkerGroup(PlanPtr plan, std::vector<MountReport> mounts);

  const ServingPlan& plan() const { return *plan_; }
  const PlanPtr& shared_plan() const { return plan_; }
  const std::vector<MountReport>& mounts() const { return mounts_; }

  // Addresses that `before` listens on keep their sockets and what waits in them. It may be null.
  Result<void> open_listeners(const WorkerGroup* before);
  // Has all workers accept, also from the sockets that are new. REQUIRES: all of them are ready.
  Result<void> start_accepting();
  // Gives up the sockets that are new, when nobody will accept from them.
  void drop_unused_listeners();
  void close_listeners() { listeners_.clear(); }
  // The groups of one site, as long as they are open.
  std::vector<const ListenGroup*> listeners(std::size_t site) const;
  // In a forked process: closes all listening sockets but these, the control sockets of the workers, and the
  // folders of the plan, which is gone then.
  void close_for_child(const std::vector<int>& kept);

  // What each new process needs of its supervisor.
  struct Launch {
    int log_fd = -1;
    Unusable unusable = Unusable::left_out;
    std::function<void(const std::vector<int>& own_sockets)> close_others;
  };
  // Fills the empty slots; tells of each new process.
  using Launched = std::function<void(WorkerProcess&)>;
  Result<void> launch_missing(
      const ModuleSet& modules, const Launch& launch, const Launched& launched = [](WorkerProcess&) {});
  std::size_t slots() const { return workers_.size(); }
  std::vector<WorkerProcess*> workers() const;
  WorkerProcess* find(pid_t pid) const;
  std::unique_ptr<WorkerProcess> take(const WorkerProcess& worker);
  bool all_ready() const;
  bool any_missing() const;
  // Another worker of the same site that can accept; null without one.
  WorkerProcess* sibling(const WorkerProcess& worker,
                         const std::function<bool(const WorkerProcess&)>& can_help) const;
  std::vector<int> sockets_of(std::size_t slot) const;

 private:
  Result<void> launch(std::size_t slot, const ModuleSet& modules, const Launch& launch);

  struct Slot {
    std::size_t site = 0;
    unsigned index = 0;  // among those of the site
  };
  struct Listening {
    std::size_t site = 0;
    std::shared_ptr<ListenGroup> group;
  };
  // Takes over what is `kept`, which is taken out of there.
  Result<void> open_addresses(std::size_t site, const ListenAddress& address, std::vector<Listening>& kept);
  Result<std::shared_ptr<ListenGroup>> open_address(std::size_t site, const ListenAddress& address,
                                                    std::vector<Listening>& kept) const;

  PlanPtr plan_;
  std::vector<MountReport> mounts_;
  std::vector<Listening> listeners_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;  // one for each slot
};

}  // namespace sluice
