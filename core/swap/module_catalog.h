// What the supervisor knows of each module: the generation that serves, the one to go back to, its faults, and
// whether it is switched off. It decides what follows from a fault; ModuleRollout does it.
//
// A generation is good if it had no fault within the fault window before it was replaced. The last good one is
// kept: it returns if a newer generation has too many faults. Plain values; one thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "module/module_set.h"
#include "settings/settings.h"
#include "swap/module_store.h"
#include "swap/module_trial.h"

namespace sluice {

// A generation with the copy that it is loaded from.
struct Generation {
  ModuleEntry entry;
  ModuleCopyPtr copy;
};

struct ModuleRecord {
  Generation serving;
  std::optional<Generation> last_good;
  FileStamp taken;  // of the file that was taken last, even if its generation serves no longer
  std::deque<std::uint64_t> faults_ms;  // of the generation that serves, within the fault window
};

// What follows from a fault.
enum class Verdict { unknown, counted, go_back, close };

// The entry of a file that no trial has read yet.
ModuleEntry entry_of(const std::string& file, const ModuleCopy& copy);

class ModuleCatalog {
 public:
  // The modules that the workers have to have.
  ModuleSet set() const;
  // The set for a trial of this copy. The other modules are closed: they keep their names and places, but are
  // not loaded.
  ModuleSet trial_set(const std::string& file, const ModuleCopy& copy) const;
  // The set with this entry in place of the file's present one.
  ModuleSet set_with(const ModuleEntry& entry) const;

  const ModuleRecord* find(const std::string& file) const;
  const ModuleRecord* find_name(const std::string& name) const;
  // All files that are not removed.
  std::vector<std::string> files() const;

  // Takes names from the trial of the set `tried`, switches off the modules that the trial closed, and forgets
  // other modules that it could not use. Later decisions about a module stay.
  void learn(const TrialReport& report, const ModuleSet& tried);
  // A new generation serves. The one before becomes the last good one if it is good.
  void take(Generation generation, std::uint64_t now_ms, const ModulePolicy& policy);
  // Forgets the file. With `keep` the module stays, but answers only at mounts that name it.
  void remove(const std::string& file, bool keep);
  // Counts that a module ended its worker. `unknown`: no such generation serves.
  Verdict fault(const std::string& name, std::uint32_t generation, std::uint64_t now_ms,
                const ModulePolicy& policy);
  // Switches a module off until its last good generation returns.
  void suspend(const std::string& file);
  // Switches a module off until a new generation is taken, and forgets its last good one.
  void close(const std::string& file);

 private:
  ModuleRecord* own(const std::string& file);

  std::vector<ModuleRecord> records_;  // sorted by file
};

}  // namespace sluice
