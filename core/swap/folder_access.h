// Finds folders of a plan that this process may not enter, before a request does. Waits for file systems, so it
// runs in a child.
#pragma once

#include <vector>

#include "module/module_placement.h"
#include "settings/serving_plan.h"

namespace sluice {

// Warnings for the document root, and for the folder of each mount, if the user of this process may not enter
// it. `mounts` are the mounts of the first site, including default mounts.
std::vector<ModuleWarning> refused_folders(const ServingPlan& plan, const std::vector<MountReport>& mounts);

}  // namespace sluice
