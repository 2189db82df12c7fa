// A whole folder of modules, copied and tried: what a server begins with, and goes on with when a reload names
// another folder.
#pragma once

#include <vector>

#include "settings/serving_plan.h"
#include "swap/module_catalog.h"
#include "swap/module_store.h"
#include "swap/module_trial.h"

namespace sluice {

struct FolderTrial {
  ModuleCatalog catalog;
  TrialReport report;
  std::vector<EmptyCopy> empty;  // of its files, to be filled before they are tried
};

// Begins copies of all modules of the plan's folder, for a catalog of their own. What cannot be copied is a
// problem of the report, which has nothing else yet.
Result<FolderTrial> begin_folder_trial(ModuleStore& store, const ServingPlan& plan);
// The same, fills the copies and tries them; blocks meanwhile.
Result<FolderTrial> try_folder(ModuleStore& store, const ServingPlan& plan);

}  // namespace sluice
