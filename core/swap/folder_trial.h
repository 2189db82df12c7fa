// Copies and tries the modules of all folders, when a server starts or when a reload names other folders.
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
  std::vector<EmptyCopy> empty;  // copies that have to be filled before the trial
};

// Begins copies of all modules in the plan's folders, and puts them into a new catalog. Files that cannot be
// copied become problems in the report, which is otherwise empty.
Result<FolderTrial> begin_folder_trial(ModuleStore& store, const ServingPlan& plan);
// Begins the copies, fills them and tries them, as try_modules does. Blocks.
Result<FolderTrial> try_folder(
    ModuleStore& store, const ServingPlan& plan, const InChild& in_child = [] {});

}  // namespace sluice
