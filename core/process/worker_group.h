// The workers of one configuration, and the sockets that they accept from. Each worker fills a slot; a slot is
// empty while its process is started again.
//
// Supervisor's thread. A reload's new group shares the sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "process/inherited_sockets.h"
#include "process/listen_group.h"
#include "process/rollout_workers.h"
#include "process/worker_process.h"
#include "settings/serving_plan.h"

namespace sluice {

class WorkerGroup final : public RolloutWorkers {
 public:
  // `mounts` are those of the first serving group, as a trial has reported them.
  WorkerGroup(PlanPtr plan, std::vector<MountReport> mounts);

  const ServingPlan& plan() const { return *plan_; }
  const PlanPtr& shared_plan() const override { return plan_; }
  const std::vector<MountReport>& mounts() const { return mounts_; }

  // Addresses that `before` listens on keep their sockets and the connections in their queues. `before` may
  // be null. Addresses of passed sockets use those.
  Result<void> open_listeners(const WorkerGroup* before, const InheritedSockets& inherited = {});
  // The same for the sockets of the former server: its addresses keep them.
  Result<void> open_listeners(const Handover& before, const InheritedSockets& inherited);
  void hand_over(Handover& handover) const;
  // The former server has left its sockets to this one.
  void own_listeners() const;
  // Another process has the listening sockets now.
  void leave_listeners();
  // Makes all workers accept, also from new sockets. REQUIRES: all of them are ready.
  Result<void> start_accepting();
  // Closes the new sockets, when no worker will accept from them.
  void drop_unused_listeners();
  void close_listeners() { listeners_.clear(); }
  // Where a serving group listens, each URL once: at all of its addresses, or at this one.
  std::vector<std::string> urls(std::size_t group, std::optional<std::uint32_t> address = std::nullopt) const;
  // For a forked process: closes all listening sockets but these, the control sockets of the workers, and the
  // folders of the plan. The plan is gone then.
  void close_for_child(const std::vector<ListeningSocket>& kept);

  // What the supervisor gives to each new process.
  struct Launch {
    EventLoop& loop;
    WorkerProcess::Owner& owner;
    int log_fd = -1;
    AccessLogs* access = nullptr;
    WorkerSeats* seats = nullptr;
    Unusable unusable = Unusable::left_out;
    std::function<void(const std::vector<ListeningSocket>& own_sockets)> close_others = {};
    std::string copies = {};  // the folder of private copies of modules
  };
  // Fills the empty slots. Calls `Launched` for each new process.
  using Launched = std::function<void(WorkerProcess&)>;
  Result<void> launch_missing(
      const ModuleSet& modules, const Launch& launch, const Launched& launched = [](WorkerProcess&) {});
  std::size_t slots() const { return workers_.size(); }
  std::vector<WorkerProcess*> workers() const;
  // Those of one serving group.
  std::vector<WorkerProcess*> workers_of(std::size_t group) const;
  WorkerProcess* find(pid_t pid) const;
  std::vector<pid_t> pids() const override;
  bool tell(pid_t worker, const WorkerMessage& message) const override { return find(worker)->tell(message); }
  void replace(pid_t worker) const override;
  std::unique_ptr<WorkerProcess> take(const WorkerProcess& worker);
  bool all_ready() const;
  bool any_missing() const;
  // Whether the slot has a worker that is ready.
  bool serves(std::size_t slot) const { return workers_[slot] != nullptr && workers_[slot]->ready(); }
  // The worker of another slot of the same serving group that can accept; null if there is none.
  WorkerProcess* sibling(std::size_t slot, const std::function<bool(const WorkerProcess&)>& can_help) const;
  std::vector<ListeningSocket> sockets_of(std::size_t slot) const;

 private:
  Result<void> launch(std::size_t slot, const ModuleSet& modules, const Launch& launch);

  struct Slot {
    std::size_t group = 0;  // of ServingPlan::groups
    unsigned index = 0;     // among the workers of the group
  };
  struct Listening {
    std::size_t group = 0;
    std::uint32_t address = 0;  // of ServingGroup::addresses
    std::shared_ptr<ListenGroup> sockets;
    bool tls = false;
  };
  // Where sockets may come from.
  struct Sources {
    std::vector<Listening> kept;
    const InheritedSockets& inherited;
  };
  Result<void> open_from(Sources sources);
  // Opens the addresses, and takes those that are kept out of the sources.
  Result<void> open_addresses(std::size_t group, std::uint32_t index, Sources& sources);
  Result<std::shared_ptr<ListenGroup>> open_address(std::size_t group, const ListenAddress& address,
                                                    Sources& sources) const;

  PlanPtr plan_;
  std::vector<MountReport> mounts_;
  std::vector<Listening> listeners_;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;  // one for each slot
};

}  // namespace sluice
