// Brings changes of the folder of modules to the workers while they serve, one at a time: a changed file is
// copied, tried in a child, made by every worker, and then put into force by all of them, or by none.
//
// Supervisor's thread; never blocks on a module, nor on its folder: a child asks there first. What changes
// meanwhile waits, each file once.
//
// INVARIANT: a worker that starts is given `set()`, and is told of the change at work, if there is one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "process/worker_group.h"
#include "swap/folder_trial.h"
#include "swap/folder_watch.h"
#include "swap/module_catalog.h"
#include "swap/module_trial.h"

namespace sluice {

class ModuleRollout {
 public:
  // Closes in a trial's process what no module may see.
  using CloseInChild = std::function<void()>;

  static Result<std::unique_ptr<ModuleRollout>> create(CloseInChild close_in_child);

  // Goes on with this folder, for workers that are given its modules. REQUIRES, as go_on does: !at_work().
  void begin(FolderTrial folder, const WorkerGroup& group);
  // Goes on with another configuration of the same folder, of which `tried` was tried, for workers that were
  // `given` what came of it.
  void go_on(const TrialReport& report, const ModuleSet& tried, ModuleSet given, const WorkerGroup& group);

  ModuleStore& store() { return *store_; }
  // Makes private copies that somebody has removed anew: before workers or trials are to load them.
  Result<void> restore_copies() { return store_->restore(); }
  // Where the private copies are.
  const std::string& copies() const { return store_->path(); }
  // What a worker that starts is to have.
  ModuleSet set() const { return catalog_.set(); }
  // What the workers have that serve.
  const ModuleSet& in_force() const { return in_force_; }

  int watch_fd() const { return watch_ == nullptr ? -1 : watch_->fd(); }
  void hear_watch(std::uint64_t now_ms) { watch_->hear(now_ms); }
  // The trial's process, while there is one.
  Child* trial() const { return trial_.get(); }
  void trial_ended(int status, std::uint64_t now_ms);

  // For a forked process.
  void close_for_child();

  // Looks at every file of the folder again, and watches it again if it had gone.
  void look_again() { look_wanted_ = true; }
  // Whether a change is at work or waits.
  bool busy() const {
    return stage_ != Stage::idle || look_wanted_ || !waiting_.empty() || catalog_.set() != in_force_ ||
           !reviving_.empty();
  }
  bool at_work() const { return stage_ != Stage::idle; }
  // Goes on as far as it can now. `group` is the one that `begin` or `go_on` was told of.
  void step(std::uint64_t now_ms);
  // When `step` has something to do, unless something is heard before.
  std::uint64_t due_ms() const;

  void launched(const WorkerProcess& worker);
  void answered(WorkerProcess& worker, const WorkerMessage& message, std::uint64_t now_ms);
  // A worker has ended; the module and generation that it was in, if any.
  void ended(const WorkerProcess& worker, const std::string& module, std::uint32_t generation,
             std::uint64_t now_ms);
  // The same as a fault of that generation: it may be replaced or switched off, and all workers are told. False
  // when no such generation serves.
  bool fault(const std::string& module, std::uint32_t generation, std::uint64_t now_ms);
  // Once: a change waits for processes that have loaded fewer modules in their life.
  bool take_workers_used_up() { return std::exchange(workers_used_up_, false); }
  // Switches a module on, which is answered when it serves, or with the sentence why it does not.
  using Answer = std::function<void(const Result<void>&)>;
  void enable(const std::string& module, Answer answer);
  Result<void> disable(const std::string& module);

 private:
  enum class Stage { idle, asking, trying, preparing };

  explicit ModuleRollout(CloseInChild close_in_child) : close_in_child_(std::move(close_in_child)) {}
  const ModulePolicy& policy() const { return group_->plan().settings.policy; }
  std::string folder() const { return group_->plan().settings.plugins; }
  void watch();
  bool folder_is_wanted(std::uint64_t now_ms) const;
  void ask_folder(std::uint64_t now_ms);
  void give_up_folder();
  void look(std::uint64_t now_ms);
  void note_all_files();
  void begin_change(const std::string& file, std::uint64_t now_ms);
  void remove(const std::string& file);
  void revive(const std::string& file, std::uint64_t now_ms);
  void revived(const std::string& file, const Result<void>& outcome);
  void try_copy(EmptyCopy empty, std::uint64_t now_ms);
  void prepare(ModuleSet set, std::uint64_t now_ms);
  void ask_next(std::uint64_t now_ms);
  void commit(std::uint64_t now_ms);
  void refuse(const std::string& why, std::uint64_t now_ms);
  void end_change(ControlMessage how);

  CloseInChild close_in_child_;
  std::unique_ptr<ModuleStore> store_;
  std::unique_ptr<FolderWatch> watch_;
  ModuleCatalog catalog_;
  ModuleSet in_force_;  // in the workers
  const WorkerGroup* group_ = nullptr;
  bool look_wanted_ = false;           // at every file
  bool again_wanted_ = false;          // whatever is found then belongs to `again_`, too
  bool folder_answers_ = false;        // a moment ago
  std::set<std::string> waiting_;      // files that have changed
  std::set<std::string> again_;        // those that another configuration may suit better
  std::set<std::string> renewed_for_;  // those for which the workers were replaced
  bool workers_used_up_ = false;
  std::map<std::string, std::string> refusals_;  // the last one of each file
  // Files of modules that are switched off and wanted on again: in their last good generation, if there is one.
  std::map<std::string, Answer> reviving_;

  Stage stage_ = Stage::idle;
  std::unique_ptr<Child> trial_;
  Generation change_;  // of one file; without a copy, the catalog's own set is brought to the workers
  ModuleSet next_set_;
  bool revives_ = false;      // the change is of `reviving_`
  std::uint64_t number_ = 0;  // of the change
  std::set<pid_t> unanswered_;
  pid_t asked_ = 0;  // one of them, or 0
  std::uint64_t change_until_ms_ = 0;
  std::uint64_t retry_at_ms_ = 0;
};

}  // namespace sluice
