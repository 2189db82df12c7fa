// Settings whose modules were copied and tried: what a server begins with.
//
// Trying blocks, with deadlines of its own: nobody is served yet, so nothing has to go on meanwhile. There is
// no loop yet either, so a module that is tried in a child inherits no descriptor of it.
#pragma once

#include <memory>

#include "swap/folder_trial.h"

namespace sluice {

struct TriedSettings {
  std::unique_ptr<ModuleStore> store;  // has the copies
  PlanPtr plan;
  FolderTrial folder;
};

// The children in which modules are tried first call `in_child`. `before`, which may be null, is the plan of a
// former server.
Result<TriedSettings> try_settings(const Settings& settings, const InChild& in_child,
                                   const ServingPlan* before = nullptr);

}  // namespace sluice
