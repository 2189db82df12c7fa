// The modules of one worker and the prefixes at which they answer or filter. A table is made from a ModuleSet
// and takes effect when it fills the worker's router. The next table takes over the handlers that stay and
// makes the others anew, while this one still serves.
//
// Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "module/module_instance.h"
#include "module/module_placement.h"
#include "module/router.h"
#include "settings/serving_plan.h"

namespace sluice {

// The results of loading files, by the paths of their copies.
using LoadedFiles = std::map<std::string, Result<std::shared_ptr<ModuleFile>>>;

class MountTable {
 public:
  // The entries of the set that the group has to load. Entries that `before` has loaded are left out.
  static ModuleSet to_load(const ServingPlan& plan, const ServingGroup& group, const ModuleSet& set,
                           const MountTable* before);
  // A table without handlers yet. `before` may be null; otherwise it has to live until all handlers are made.
  // Files of `files` that the table does not use can be destroyed afterwards.
  static std::unique_ptr<MountTable> begin(const InstanceServices& services, const ServingPlan& plan,
                                           const ServingGroup& group, const ModuleSet& set,
                                           const LoadedFiles& files, const MountTable* before,
                                           Unusable unusable);
  // Makes handlers and filters for up to `mounts_max` mounts of the settings, and after the last of these for
  // all default mounts. true when all are made. A module that cannot be used becomes a problem; it is an error
  // only if the settings name the module.
  Result<bool> make_some(std::size_t mounts_max);

  const std::vector<MountReport>& mounts() const { return reports_; }
  const std::vector<ModuleProblem>& problems() const { return problems_; }
  const std::vector<ModuleWarning>& warnings() const { return warnings_; }
  // The set of modules that can serve: broken modules are closed or left out, and other files with a problem
  // are left out.
  ModuleSet usable() const;
  // Adds a problem for each file whose handlers took longer than `make_ms_max` to make.
  void refuse_slow(std::uint64_t make_ms_max);
  // An error if a module that --module names is missing.
  Result<void> check_chosen() const;

  void fill(Router& router) const;
  // Calls `retire` of all handlers and filters that `next` has not taken over.
  void retire_except(const MountTable& next);

 private:
  struct Module {
    ModuleEntry entry;
    std::shared_ptr<ModuleFile> file;  // null if the module is closed, or answers nowhere
    InstanceRef shared;                // made with the first handler
    bool shared_made = false;
    bool broken = false;        // it cannot be loaded, or refuses to make a handler
    std::uint64_t make_ms = 0;  // how long making all its handlers took
  };
  struct Mount {
    std::size_t site = 0;
    std::string prefix;
    std::size_t filter = kNoFilter;  // of ServingPlan::mounts: several filters may have one prefix
    std::string path;                // of the module's copy
    InstanceRef instance;            // empty if the mount is closed
  };
  static constexpr std::size_t kNoFilter = ~std::size_t{0};
  using PlaceKey = std::tuple<std::size_t, std::string, std::size_t>;  // site, prefix and filter of a Mount

  MountTable(const InstanceServices& services, const ServingPlan& plan, const ServingGroup& group,
             const MountTable* before, Unusable unusable)
      : services_(services), plan_(plan), group_(group), before_(before), unusable_(unusable) {}
  void add_modules(const ModuleSet& set, const LoadedFiles& files);
  void add_module(Module module);
  void add_broken(std::vector<Module> broken);
  Result<void> make_explicit_mount(std::size_t index);
  void make_default_mounts();
  Result<void> make_mount(Module& module, std::size_t site, const MountPlan& mount,
                          std::size_t filter = kNoFilter);
  Result<InstanceRef> make_instance(Module& module, std::size_t site, const MountPlan& mount);
  void take_warnings(ModuleInstance& instance, const std::string& file, std::size_t site,
                     const MountPlan& mount);
  Result<void> make_shared(Module& module);
  const Module* find_path(const std::string& path) const;
  Module* find_name(std::string_view name);
  const Mount* find_mount(const Mount& wanted) const;
  Unexpected unknown_module(const std::string& name, const std::string& wanted_by) const;

  const InstanceServices& services_;
  const ServingPlan& plan_;
  const ServingGroup& group_;
  const MountTable* before_;
  const Unusable unusable_;
  std::size_t next_mount_ = 0;  // the next of ServingPlan::mounts to make
  std::vector<Module> modules_;
  std::vector<Mount> mounts_;
  std::vector<MountReport> reports_;          // one for each of mounts_
  std::map<PlaceKey, std::size_t> by_place_;  // indexes of mounts_
  std::vector<ModuleProblem> problems_;
  std::vector<ModuleWarning> warnings_;
};

}  // namespace sluice
