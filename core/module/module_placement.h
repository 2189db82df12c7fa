// Where modules answer: by the mounts in the settings, and by their own default mounts. Also the problems of
// modules that do not answer. Pure. Any thread of any process.
#pragma once

#include <string>
#include <vector>

#include "module/module_set.h"
#include "settings/serving_plan.h"

namespace sluice {

// The module that answers at a prefix of a worker.
struct MountReport {
  std::string prefix;
  std::string module;
  bool closed = false;  // it answers 503
};

// Where a module of a set answers.
struct Place {
  std::string prefix;
  std::string address;  // of an isolated mount
  ModuleEntry module;
};

// Why a file of the set is left out, or answers nowhere.
struct ModuleProblem {
  std::string file;
  std::string sentence;
  bool of_settings = false;  // the settings are at fault: a mount has options that the module refuses
};

// A warning of a handler while it was made.
struct ModuleWarning {
  std::string file;
  std::string prefix;  // of a mount in the settings; empty for a default mount
  std::string sentence;
};

// How a worker treats a module that it cannot use. The mounts of a closed module answer 503.
enum class Unusable { left_out, closed };

// Whether --module and --without let the module in.
bool is_chosen(const Settings& settings, const std::string& name);
// The same for the name of the file and, if it is known, the name of its module.
bool is_chosen(const Settings& settings, const ModuleEntry& entry);

// Whether a mount of any site names the module.
bool is_mounted_by_name(const Settings& settings, const std::string& module);
// Whether the settings have a mount at the prefix, which wins over a module's default mount.
bool is_mounted_at(const Settings& settings, const std::string& prefix);
// Whether a mount or --module names the module.
bool is_asked_for(const Settings& settings, const std::string& module);

// Whether the module answers at this site: at its default mount, or at any prefix. REQUIRES: its name is known.
bool answers_by_default(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry);
bool answers_at(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry);

// Where the modules of a set answer, at all sites. REQUIRES: their names are known.
std::vector<Place> places(const ServingPlan& plan, const ModuleSet& set);

}  // namespace sluice
