// What the supervisor knows of each module: the generation that serves, the one to go back to, its faults, and
// whether it is switched off. Decides what a fault leads to; does nothing about it itself.
//
// A generation is good when it had no fault within the fault window before it was replaced. The last good one
// is kept: a newer generation with too many faults is replaced by it. Values; one thread.
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
  FileStamp taken;  // of the file in the folder that was taken last, also when it has been given up since
  std::deque<std::uint64_t> faults_ms;  // of the one that serves, in the fault window
};

// What a fault leads to.
enum class Verdict { unknown, counted, go_back, close };

class ModuleCatalog {
 public:
  // What the workers are to have.
  ModuleSet set() const;
  // What a trial of this copy is to load: the copy alone, with the names and places of the others taken.
  ModuleSet trial_set(const std::string& file, const ModuleCopy& copy) const;
  // The set with this generation in the place of the file's own.
  ModuleSet set_with(const ModuleEntry& entry) const;

  const ModuleRecord* find(const std::string& file) const;
  const ModuleRecord* find_name(const std::string& name) const;
  // The files that there are, removed ones left out.
  std::vector<std::string> files() const;

  // Takes over the names that a trial of this set has found out, switches off what it has closed, and forgets
  // what else it could not use. What has been decided since then stays.
  void learn(const TrialReport& report, const ModuleSet& tried);
  // A new generation serves. That of before becomes the last good one if it is good.
  void take(Generation generation, std::uint64_t now_ms, const ModulePolicy& policy);
  // Forgets the file, or with `keep` notes that only mounts that name it keep it.
  void remove(const std::string& file, bool keep);
  // A module did what ended its worker. `unknown` when no such generation serves.
  Verdict fault(const std::string& name, std::uint32_t generation, std::uint64_t now_ms,
                const ModulePolicy& policy);
  // Switches off what is to go back to its last good generation.
  void suspend(const std::string& file);
  // Switches off for good: until a generation is taken.
  void close(const std::string& file);

 private:
  ModuleRecord* own(const std::string& file);

  std::vector<ModuleRecord> records_;  // sorted by file
};

}  // namespace sluice
