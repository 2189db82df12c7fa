// One reload on its way: another configuration, read and tried in children, then given to a group of its own,
// which takes over when all of it is ready.
//
// Supervisor's thread; never blocks on a module. Neither does it on what settings name: a child reads them
// first, which asks for the names of hosts and users, and looks at folders; only when it has come to an end are
// they read here, with the names that it has heard.
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
  using CloseInChild = std::function<void()>;

  // `reread` outlives it.
  static Result<std::unique_ptr<Reload>> begin(const ReadSettings& reread, const WorkerGroup& current,
                                               CloseInChild close_in_child);

  // The process that reads or tries, while there is one.
  Child* trial() const { return trial_.get(); }
  void trial_ended(int status);
  // The new workers, from when they are started.
  WorkerGroup* group() const { return group_.get(); }

  // In a forked process.
  void close_for_child(const std::vector<int>& own_sockets);

  // Goes on as far as it can now: true when the new group takes over.
  Result<bool> step(ModuleRollout& rollout, const WorkerGroup& current, const WorkerGroup::Launch& launch);
  std::uint64_t due_ms() const;
  // Ends the new workers at once; they are still to be reaped.
  std::vector<std::unique_ptr<WorkerProcess>> abandon();
  std::unique_ptr<WorkerGroup> take_group() { return std::move(group_); }
  // REQUIRES: step was true; `group` is what take_group gave.
  void commit(ModuleRollout& rollout, const WorkerGroup& group);

 private:
  Reload(const ReadSettings& reread, CloseInChild close_in_child)
      : reread_(reread), close_in_child_(std::move(close_in_child)) {}
  Result<void> try_settings(ModuleRollout& rollout, const WorkerGroup& current);
  Result<void> start_group(const WorkerGroup& current, const WorkerGroup::Launch& launch);

  const ReadSettings& reread_;
  CloseInChild close_in_child_;
  std::optional<Result<std::string>> heard_;  // the names, from the child that has read the settings
  PlanPtr plan_;
  std::optional<FolderTrial> other_folder_;  // of the modules
  ModuleSet tried_;
  ModuleSet given_;  // to the new workers
  std::unique_ptr<Child> trial_;
  std::optional<Result<TrialReport>> report_;
  std::unique_ptr<WorkerGroup> group_;
  std::uint64_t until_ms_ = 0;
};

// Says what is left out, and when nothing is left.
void log_problems(const TrialReport& report);

}  // namespace sluice
