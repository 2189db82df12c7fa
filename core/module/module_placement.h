// Where modules answer, by the settings and by what they wish for themselves, and what is told of those that do
// not. Pure. Any thread of any process.
#pragma once

#include <string>
#include <vector>

#include "module/module_set.h"
#include "settings/serving_plan.h"

namespace sluice {

// What answers at a prefix of a worker's.
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
  bool of_settings = false;  // not of the module: it is asked for what it does not have
};

// What a module warned of when it was made.
struct ModuleWarning {
  std::string file;
  std::string prefix;  // of the mount that settings name; empty for one that nobody asked for
  std::string sentence;
};

// What becomes of a module that cannot be used. One that is closed answers 503 where it would answer.
enum class Unusable { left_out, closed };

// By --module and --without.
bool is_chosen(const Settings& settings, const std::string& name);
// The same of a file, by its name and, where that is known, by its module's.
bool is_chosen(const Settings& settings, const ModuleEntry& entry);

// Some mount, of any site, says where the module answers.
bool is_mounted_by_name(const Settings& settings, const std::string& module);
// Settings say what answers at the prefix, which wins over what a module wishes for.
bool is_mounted_at(const Settings& settings, const std::string& prefix);
// Whether a mount or --module names it.
bool is_asked_for(const Settings& settings, const std::string& module);

// Whether the site has a module at the default mount of its own, or anywhere. REQUIRES: its name is known.
bool answers_by_default(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry);
bool answers_at(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry);

// Where the modules of a set, whose names are known, answer at any site.
std::vector<Place> places(const ServingPlan& plan, const ModuleSet& set);

}  // namespace sluice
