#include "module/module_placement.h"

#include <algorithm>
#include <filesystem>

namespace sluice {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_chosen(const Settings& settings, const std::string& name) {
  return (settings.only.empty() || contains(settings.only, name)) && !contains(settings.without, name);
}

bool is_chosen(const Settings& settings, const ModuleEntry& entry) {
  return is_chosen(settings, std::filesystem::path(entry.file).stem().string()) &&
         (entry.name.empty() || is_chosen(settings, entry.name));
}

bool is_mounted_by_name(const Settings& settings, const std::string& module) {
  return std::any_of(settings.mounts.begin(), settings.mounts.end(),
                     [&](const MountSpec& spec) { return spec.module == module; });
}

bool is_mounted_at(const Settings& settings, const std::string& prefix) {
  return std::any_of(settings.mounts.begin(), settings.mounts.end(),
                     [&](const MountSpec& spec) { return spec.prefix == prefix && !spec.isolate; });
}

bool is_asked_for(const Settings& settings, const std::string& module) {
  return is_mounted_by_name(settings, module) || contains(settings.only, module);
}

bool answers_by_default(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry) {
  return !site.mount && !entry.removed && !entry.default_mount.empty() &&
         !is_mounted_by_name(plan.settings, entry.name);
}

bool answers_at(const ServingPlan& plan, const ServingSite& site, const ModuleEntry& entry) {
  const std::vector<MountSpec>& mounts = plan.settings.mounts;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (mounts[i].module == entry.name && site.has(i, mounts[i])) return true;
  }
  return answers_by_default(plan, site, entry);
}

std::vector<Place> places(const ServingPlan& plan, const ModuleSet& set) {
  std::vector<Place> places;
  for (const MountSpec& spec : plan.settings.mounts) {
    for (const ModuleEntry& entry : set) {
      if (entry.name == spec.module)
        places.push_back({spec.prefix, spec.listen ? spec.listen->text : "", entry});
    }
  }
  for (const ModuleEntry& entry : set) {
    if (is_chosen(plan.settings, entry) && answers_by_default(plan, plan.sites.front(), entry) &&
        !is_mounted_at(plan.settings, entry.default_mount))
      places.push_back({entry.default_mount, "", entry});
  }
  return places;
}

}  // namespace sluice
