// One reload under way. Children read and try the new configuration; then a new group of workers gets it, and
// takes over when all of them are ready.
//
// Supervisor's thread. It works in steps, which its alarm calls. It does not block on a module. Nor does it
// block on names and folders in the settings: a child reads the settings first, looks up the names of hosts and
// users, and looks at the folders. Only then are they read in this process, with the names that the child has
// found.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "process/worker_group.h"
#include "swap/module_rollout.h"
#include "swap/module_trial.h"

namespace sluice {

using ReadSettings = std::function<Result<Settings>()>;

class Reload {
 public:
  // What it is a reload of. Everything lives longer.
  struct Server {
    const ReadSettings& reread;
    ModuleRollout& rollout;
    const WorkerGroup& current;
    const InheritedSockets& inherited;
    WorkerGroup::Launch launch;  // of the new workers
  };
  // Called once, without an error when the new workers can take over; may destroy the reload.
  using Ended = std::function<void(const Result<void>&)>;
  static Result<std::unique_ptr<Reload>> begin(Server server, Ended ended);

  // Whether the process that has ended was one of its own, in which settings are read or tried.
  bool child_ended(pid_t pid, int status);
  // The new workers, once they are started.
  WorkerGroup* group() const { return group_.get(); }
  // One of them has said something.
  void heard() { work_.soon(); }

  // For a forked process.
  void close_for_child(const std::vector<ListeningSocket>& own_sockets);

  // REQUIRES: it ended without an error.
  const std::vector<CertificateFacts>& certificates() const { return (*report_)->certificates; }

  // Ends the new workers at once. The caller reaps them.
  std::vector<std::unique_ptr<WorkerProcess>> abandon();
  std::unique_ptr<WorkerGroup> take_group() { return std::move(group_); }
  // REQUIRES: it ended without an error; `group` is from take_group.
  void commit(const WorkerGroup& group);

 private:
  Reload(Server server, Ended ended)
      : server_(std::move(server)), ended_(std::move(ended)), work_(server_.launch.loop, [this] { work(); }) {}
  void work();
  Result<bool> step();
  Result<void> begin_trial();
  Result<void> start_group();

  Server server_;
  Ended ended_;
  Alarm work_;
  std::optional<Result<std::string>> heard_;  // the names that the child has found
  PlanPtr plan_;
  std::optional<FolderTrial> other_folder_;  // of modules, if the settings change it
  ModuleSet tried_;
  ModuleSet given_;  // to the new workers
  std::unique_ptr<HeardChild> trial_;
  std::optional<Result<TrialReport>> report_;
  std::unique_ptr<WorkerGroup> group_;
  std::uint64_t until_ms_ = 0;
};

// Logs what is left out, and warns if nothing is mounted.
void log_problems(const TrialReport& report);

}  // namespace sluice
