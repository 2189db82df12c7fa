// Where modules answer: by the mounts in the settings, and by their own default mounts. Also the problems of
// modules that do not answer. Pure. Any thread of any process.
#pragma once

#include <string>
#include <vector>

#include "module/module_set.h"
#include "settings/serving_plan.h"

namespace sluice {

// The module that answers at a prefix of a worker, or stands before what answers there.
struct MountReport {
  std::size_t site = 0;  // of ServingPlan::sites
  std::string prefix;
  std::string module;
  bool closed = false;  // it answers 503
  bool filter = false;
};

// Where a module of a set answers, or stands before what answers.
struct Place {
  std::string site;  // its label
  bool site_is_default = true;
  std::string prefix;
  std::string address;  // of an isolated mount
  ModuleEntry module;
  bool filter = false;
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
  std::string prefix;  // of a mount in the settings, behind its site's label; empty for a default mount
  std::string sentence;
};

// How a worker treats a module that it cannot use. The mounts of a closed module answer 503.
enum class Unusable { left_out, closed };

// Whether --module and --without let the module in.
bool is_chosen(const Settings& settings, const std::string& name);
// The same for the name of the file and, if it is known, the name of its module.
bool is_chosen(const Settings& settings, const ModuleEntry& entry);

// The beginning of a prefix' name in messages: nothing for the default site.
std::string site_prefix(const ServingPlan& plan, std::size_t site);

// Whether a mount of any site names the module.
bool is_mounted_by_name(const ServingPlan& plan, const std::string& module);
// Whether the settings have a mount at the prefix of a site, which wins over a module's default mount.
bool is_mounted_at(const ServingPlan& plan, std::size_t site, const std::string& prefix);
// Whether a mount or --module names the module.
bool is_asked_for(const ServingPlan& plan, const std::string& module);

// Whether the module answers in this group: at its default mount, or at any prefix. Default mounts are of the
// default site. REQUIRES: the module's name is known.
bool answers_by_default(const ServingPlan& plan, const ServingGroup& group, const ModuleEntry& entry);
bool answers_at(const ServingPlan& plan, const ServingGroup& group, const ModuleEntry& entry);

// Where the modules of a set answer, in all groups. REQUIRES: their names are known.
std::vector<Place> places(const ServingPlan& plan, const ModuleSet& set);

}  // namespace sluice
