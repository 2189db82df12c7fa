// Which folders of a plan this process may not enter, so that it is known before the first request. Asks the
// file system: for a child that may wait.
#pragma once

#include <vector>

#include "module/module_placement.h"
#include "settings/serving_plan.h"

namespace sluice {

// A warning for the document root and for the folder of each mount that the user of this process may not
// enter. `mounts` are those that modules have without being asked for.
std::vector<ModuleWarning> refused_folders(const ServingPlan& plan, const std::vector<MountReport>& mounts);

}  // namespace sluice
