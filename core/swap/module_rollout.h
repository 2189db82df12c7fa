// Brings changed modules to the workers while they serve, one change at a time. A changed file is copied and
// tried in a child. Then every worker makes its handlers, and only if all of them succeed does the change take
// effect.
//
// Supervisor's thread. It never blocks on a module, nor on the folder of modules, which a child reads first.
// Files that change meanwhile wait, each once.
//
// INVARIANT: a worker that starts gets `set()`, and the change at work, if there is one.
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
  // Closes, in a trial's process, the descriptors that no module may see.
  using CloseInChild = std::function<void()>;

  static Result<std::unique_ptr<ModuleRollout>> create(CloseInChild close_in_child);

  // Begins with a folder, for a group of workers that get its modules. REQUIRES: !at_work().
  void begin(FolderTrial folder, const WorkerGroup& group);
  // Goes on with the same folder after a reload. The trial of the set `tried` gave `report`, and the workers of
  // `group` got the set `given`. REQUIRES: !at_work().
  void go_on(const TrialReport& report, const ModuleSet& tried, ModuleSet given, const WorkerGroup& group);

  ModuleStore& store() { return *store_; }
  // Makes private copies again that somebody has removed. Called before workers or trials load them.
  Result<void> restore_copies() { return store_->restore(); }
  // The folder of the private copies.
  const std::string& copies() const { return store_->path(); }
  // The set for a worker that starts.
  ModuleSet set() const { return catalog_.set(); }
  // The set of the workers that serve.
  const ModuleSet& in_force() const { return in_force_; }

  int watch_fd() const { return watch_ == nullptr ? -1 : watch_->fd(); }
  void hear_watch(std::uint64_t now_ms) { watch_->hear(now_ms); }
  // The process of the trial, or the one that reads the folder; null if there is none.
  Child* trial() const { return trial_.get(); }
  void trial_ended(int status, std::uint64_t now_ms);

  // For a forked process.
  void close_for_child();

  // Makes the next step look at every file of the folder, and watch the folder again if it had gone.
  void look_again() { look_wanted_ = true; }
  // Whether a change is at work or waits.
  bool busy() const {
    return stage_ != Stage::idle || look_wanted_ || !waiting_.empty() || catalog_.set() != in_force_ ||
           !reviving_.empty();
  }
  bool at_work() const { return stage_ != Stage::idle; }
  // Goes on with the change at work, or begins the next one. REQUIRES: the group of `begin` or `go_on` lives.
  void step(std::uint64_t now_ms);
  // When `step` has something to do, if no event comes before.
  std::uint64_t due_ms() const;

  void launched(const WorkerProcess& worker);
  void answered(WorkerProcess& worker, const WorkerMessage& message, std::uint64_t now_ms);
  // A worker has ended, in a call of this module and generation if `module` is not empty.
  void ended(const WorkerProcess& worker, const std::string& module, std::uint32_t generation,
             std::uint64_t now_ms);
  // Counts a fault of that generation. The module may go back or be switched off in all workers. false if no
  // such generation serves.
  bool fault(const std::string& module, std::uint32_t generation, std::uint64_t now_ms);
  // True once if a change needs new worker processes, because the present ones have no static TLS left.
  bool take_workers_used_up() { return std::exchange(workers_used_up_, false); }
  // Switches a module on. `answer` is called when the module serves, or with the reason why it does not.
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
  ModuleSet in_force_;  // the set that the workers have
  const WorkerGroup* group_ = nullptr;
  bool look_wanted_ = false;           // the next look is at every file
  bool again_wanted_ = false;          // the next look puts its files into `again_`, too
  bool folder_answers_ = false;        // a child has just read the folder
  std::set<std::string> waiting_;      // files that have changed
  std::set<std::string> again_;        // files that are tried again after a reload
  std::set<std::string> renewed_for_;  // files for which the workers were replaced
  bool workers_used_up_ = false;
  std::map<std::string, std::string> refusals_;  // the last refusal of each file
  // Files of switched-off modules that have to serve again, in their last good generation if they have one.
  std::map<std::string, Answer> reviving_;

  Stage stage_ = Stage::idle;
  std::unique_ptr<Child> trial_;
  Generation change_;  // the change at work; without a copy it is the catalog's own set
  ModuleSet next_set_;
  bool revives_ = false;      // the change is one of `reviving_`
  std::uint64_t number_ = 0;  // the number of the change
  std::set<pid_t> unanswered_;
  pid_t asked_ = 0;  // one of `unanswered_`, or 0
  std::uint64_t change_until_ms_ = 0;
  std::uint64_t retry_at_ms_ = 0;
};

}  // namespace sluice
