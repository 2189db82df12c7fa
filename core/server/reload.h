// One reload under way. Children read and try the new configuration; then a new group of workers gets it, and
// takes over when all of them are ready.
//
// Supervisor's thread; never blocks on a module. Nor does it block on names and folders in the settings: a
// child reads the settings first, looks up the names of hosts and users, and looks at the folders. Only then
// are they read in this process, with the names that the child has found.
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

  // `reread` lives longer.
  static Result<std::unique_ptr<Reload>> begin(const ReadSettings& reread, const WorkerGroup& current,
                                               CloseInChild close_in_child);

  // The child that reads or tries, while there is one.
  Child* trial() const { return trial_.get(); }
  void trial_ended(int status);
  // The new workers, once they are started.
  WorkerGroup* group() const { return group_.get(); }

  // For a forked process.
  void close_for_child(const std::vector<int>& own_sockets);

  // Goes on as far as it can now. True when the new group takes over.
  Result<bool> step(ModuleRollout& rollout, const WorkerGroup& current, const WorkerGroup::Launch& launch);
  std::uint64_t due_ms() const;
  // Ends the new workers at once. The caller reaps them.
  std::vector<std::unique_ptr<WorkerProcess>> abandon();
  std::unique_ptr<WorkerGroup> take_group() { return std::move(group_); }
  // REQUIRES: `step` returned true; `group` is from take_group.
  void commit(ModuleRollout& rollout, const WorkerGroup& group);

 private:
  Reload(const ReadSettings& reread, CloseInChild close_in_child)
      : reread_(reread), close_in_child_(std::move(close_in_child)) {}
  Result<void> try_settings(ModuleRollout& rollout, const WorkerGroup& current);
  Result<void> start_group(const WorkerGroup& current, const WorkerGroup::Launch& launch);

  const ReadSettings& reread_;
  CloseInChild close_in_child_;
  std::optional<Result<std::string>> heard_;  // the names that the child has found
  PlanPtr plan_;
  std::optional<FolderTrial> other_folder_;  // of modules, if the settings change it
  ModuleSet tried_;
  ModuleSet given_;  // to the new workers
  std::unique_ptr<Child> trial_;
  std::optional<Result<TrialReport>> report_;
  std::unique_ptr<WorkerGroup> group_;
  std::uint64_t until_ms_ = 0;
};

// Logs what is left out, and warns if nothing is mounted.
void log_problems(const TrialReport& report);

}  // namespace sluice
