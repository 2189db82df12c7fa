// Brings changed modules to the workers while they serve, one change at a time. A changed file is copied and
// tried in a child. Then every worker makes its handlers, and only if all of them succeed does the change take
// effect.
//
// Supervisor's thread. It works in steps, which its alarm calls when something has happened or is due. It never
// blocks on a module, nor on the folders of modules, which a child reads first. Files that change meanwhile
// wait, each once.
//
// INVARIANT: a worker that starts gets `set()`, and the change at work, if there is one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/paced_log.h"
#include "loop/alarm.h"
#include "module/module_events.h"
#include "process/heard_child.h"
#include "process/rollout_workers.h"
#include "swap/folder_trial.h"
#include "swap/folder_watch.h"
#include "swap/module_catalog.h"
#include "swap/module_trial.h"

namespace sluice {

class ModuleRollout {
 public:
  // Closes, in a trial's process, the descriptors that no module may see.
  using CloseInChild = std::function<void()>;
  // Called before each step and after it. False if a reload goes first or the server stops: the rollout then
  // waits for `begin`, `go_on` or `wake`.
  using MayStep = std::function<bool()>;

  // `loop` lives longer.
  ModuleRollout(EventLoop& loop, std::unique_ptr<ModuleStore> store, CloseInChild close_in_child,
                MayStep may_step);

  // Begins with the modules of folders, for a group of workers that get its modules. REQUIRES: !at_work().
  void begin(FolderTrial folder, const RolloutWorkers& workers);
  // Goes on with the same folders after a reload. The trial of the set `tried` gave `report`, and the `workers`
  // got the set `given`. REQUIRES: !at_work().
  void go_on(const TrialReport& report, const ModuleSet& tried, ModuleSet given, const RolloutWorkers& workers);

  ModuleStore& store() { return *store_; }
  // Makes private copies again that somebody has removed. Called before workers or trials load them.
  Result<void> restore_copies() { return store_->restore(); }
  // Whether the folder of the copies was made again since the last call. Confined workers that are there
  // already may not read it.
  bool take_copies_made_again() { return store_->take_made_again(); }
  // The folder of the private copies.
  const std::string& copies() const { return store_->path(); }
  // The set for a worker that starts.
  ModuleSet set() const { return catalog_.set(); }
  // The set of the workers that serve.
  const ModuleSet& in_force() const { return in_force_; }

  const ModuleEvents& events() const { return events_; }

  // Tells of an ended process. True if it was the one of the trial, or the one that reads the folder.
  bool child_ended(pid_t pid, int status);

  // For a forked process.
  void close_for_child();

  // Makes the next step look at every file of the folders, and watch a folder again if it had gone.
  void look_again() {
    look_wanted_ = true;
    wake();
  }
  // Makes a step soon.
  void wake() { work_.soon(); }
  // Whether a change is at work or waits.
  bool busy() const {
    return stage_ != Stage::idle || look_wanted_ || !waiting_.empty() || catalog_.set() != in_force_ ||
           !reviving_.empty();
  }
  bool at_work() const { return stage_ != Stage::idle; }
  void launched(pid_t worker);
  void answered(pid_t worker, const WorkerMessage& message);
  // A worker has ended, in a call of this module and generation if `module` is not empty.
  void ended(pid_t worker, const std::string& module, std::uint32_t generation);
  // Counts a fault of that generation. The module may go back or be switched off in all workers. false if no
  // such generation serves.
  bool fault(const std::string& module, std::uint32_t generation);
  // True once if a change needs new worker processes, because the present ones have no static TLS left.
  bool take_workers_used_up() { return std::exchange(workers_used_up_, false); }
  // Switches a module on. `answer` is called when the module serves, or with the reason why it does not.
  using Answer = std::function<void(const Result<void>&)>;
  void enable(const std::string& module, Answer answer);
  Result<void> disable(const std::string& module);

 private:
  enum class Stage { idle, asking, trying, preparing };

  void work();
  void step();
  std::uint64_t due_ms() const;
  const Settings& settings() const { return workers_->shared_plan()->settings; }
  const ModulePolicy& policy() const { return settings().policy; }
  const std::vector<std::string>& folders() const { return settings().plugins; }
  void watch();
  bool is_fully_watched() const;
  bool folders_are_wanted() const;
  void ask_folders();
  void give_up_folders();
  void look();
  void note_all_files();
  std::string try_later(const std::string& file, bool revives);
  void try_later_ones();
  bool known_refusal(const std::string& file, const std::string& why);
  void begin_change(const std::string& file);
  void remove(const std::string& file);
  void revive(const std::string& file);
  void revived(const std::string& file, const Result<void>& outcome);
  void try_copy(EmptyCopy empty);
  void tried(const Result<std::string>& result);
  void prepare(ModuleSet set);
  void ask_next();
  void commit();
  void refuse(const std::string& why);
  void end_change(ControlMessage how);
  std::string module_of(const std::string& file) const;

  EventLoop& loop_;
  CloseInChild close_in_child_;
  MayStep may_step_;
  Alarm work_;
  std::unique_ptr<ModuleStore> store_;
  std::vector<std::unique_ptr<FolderWatch>> watches_;  // of the folders that can be watched
  ModuleCatalog catalog_;
  ModuleSet in_force_;  // the set that the workers have
  ModuleEvents events_;
  const RolloutWorkers* workers_ = nullptr;
  bool look_wanted_ = false;           // the next look is at every file
  bool again_wanted_ = false;          // the next look puts its files into `again_`, too
  bool folders_answer_ = false;        // a child has just read the folders, or none could be made
  PacedLog unasked_{60'000};           // that none could be made
  std::set<std::string> waiting_;      // files that have changed
  std::set<std::string> again_;        // files that are tried again after a reload
  std::set<std::string> renewed_for_;  // files for which the workers were replaced
  bool workers_used_up_ = false;
  std::map<std::string, std::string> refusals_;  // the last refusal of each file
  // Files that were refused because something had run out, and whether they are of `reviving_`.
  std::map<std::string, bool> later_;
  std::uint64_t later_at_ms_ = 0;  // when they are tried again
  // Files of switched-off modules that have to serve again, in their last good generation if they have one.
  std::map<std::string, Answer> reviving_;

  Stage stage_ = Stage::idle;
  std::unique_ptr<HeardChild> trial_;
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
