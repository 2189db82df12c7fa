// One reload on its way: another configuration, tried in a child, then given to a crew of its own, which takes
// over when all of it is ready.
//
// Supervisor's thread; never blocks on a module.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "crew.h"
#include "module_keeper.h"
#include "trial.h"

namespace sluice {

class Reload {
 public:
  using CloseInChild = std::function<void()>;

  static Result<std::unique_ptr<Reload>> begin(const Settings& settings, ModuleKeeper& keeper,
                                               const Crew& current, const CloseInChild& close_in_child);

  // The trial's process, while there is one.
  Child* trial() const { return trial_.get(); }
  void trial_ended(int status);
  // The new workers, from when they are started.
  Crew* crew() const { return crew_.get(); }

  // In a forked process.
  void close_for_child(const std::vector<int>& own_sockets);

  // Goes on as far as it can now: true when the new crew takes over.
  Result<bool> step(const Crew& current, const Crew::Launch& launch);
  std::uint64_t due_ms() const;
  // Ends the new workers at once; they are still to be reaped.
  std::vector<std::unique_ptr<WorkerProcess>> abandon();
  std::unique_ptr<Crew> take_crew() { return std::move(crew_); }
  // REQUIRES: step was true; `crew` is what take_crew gave.
  void commit(ModuleKeeper& keeper, const Crew& crew);

 private:
  Reload() = default;

  PlanPtr plan_;
  std::optional<ModuleKeeper::Folder> other_folder_;  // of the modules
  ModuleSet tried_;
  ModuleSet given_;  // to the new workers
  std::unique_ptr<Child> trial_;
  std::optional<Result<TrialReport>> report_;
  std::unique_ptr<Crew> crew_;
  std::uint64_t until_ms_ = 0;
};

// Says what is left out, and when nothing is left.
void log_problems(const TrialReport& report);

}  // namespace sluice
