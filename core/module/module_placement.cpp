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

std::string site_prefix(const ServingPlan& plan, std::size_t site) {
  return plan.sites[site].is_default ? std::string() : plan.sites[site].label;
}

bool is_mounted_by_name(const ServingPlan& plan, const std::string& module) {
  return std::any_of(plan.mounts.begin(), plan.mounts.end(),
                     [&](const SiteMount& mount) { return mount.spec.module == module; });
}

bool is_mounted_at(const ServingPlan& plan, std::size_t site, const std::string& prefix) {
  return std::any_of(plan.mounts.begin(), plan.mounts.end(), [&](const SiteMount& mount) {
    return mount.site == site && mount.spec.prefix == prefix && !mount.spec.isolate && !mount.spec.filter;
  });
}

bool is_asked_for(const ServingPlan& plan, const std::string& module) {
  return is_mounted_by_name(plan, module) || contains(plan.settings.only, module);
}

bool answers_by_default(const ServingPlan& plan, const ServingGroup& group, const ModuleEntry& entry) {
  const bool mounted = std::any_of(plan.mounts.begin(), plan.mounts.end(), [&](const SiteMount& mount) {
    return plan.sites[mount.site].is_default && mount.spec.module == entry.name && !mount.spec.filter;
  });
  return !group.mount && !entry.removed && !entry.default_mount.empty() && !mounted && !plan.sites.empty() &&
         plan.sites.front().is_default;
}

bool answers_at(const ServingPlan& plan, const ServingGroup& group, const ModuleEntry& entry) {
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (plan.mounts[i].spec.module == entry.name && group.has(i, plan.mounts[i])) return true;
  }
  return answers_by_default(plan, group, entry);
}

std::vector<Place> places(const ServingPlan& plan, const ModuleSet& set) {
  std::vector<Place> places;
  for (const SiteMount& mount : plan.mounts) {
    const MountSpec& spec = mount.spec;
    const SitePlan& site = plan.sites[mount.site];
    for (const ModuleEntry& entry : set) {
      if (entry.name == spec.module)
        places.push_back({site.label, site.is_default, spec.prefix, spec.listen ? spec.listen->text : "", entry,
                          spec.filter});
    }
  }
  for (const ModuleEntry& entry : set) {
    if (is_chosen(plan.settings, entry) && answers_by_default(plan, plan.groups.front(), entry) &&
        !is_mounted_at(plan, 0, entry.default_mount))
      places.push_back({plan.sites.front().label, true, entry.default_mount, "", entry});
  }
  return places;
}

}  // namespace sluice
