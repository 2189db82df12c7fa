#include "module/mount_table.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

#include "base/monotonic_clock.h"
#include "module/module_needs.h"
#include "module/unread_files.h"

namespace sluice {

ModuleSet MountTable::to_load(const ServingPlan& plan, const ServingGroup& group, const ModuleSet& set,
                              const MountTable* before) {
  ModuleSet wanted;
  for (const ModuleEntry& entry : set) {
    if (entry.closed || !is_chosen(plan.settings, entry)) continue;
    if (!entry.name.empty() && !answers_at(plan, group, entry)) continue;
    if (before != nullptr && before->find_path(entry.path) != nullptr) continue;
    wanted.push_back(entry);
  }
  return wanted;
}

std::unique_ptr<MountTable> MountTable::begin(const InstanceServices& services, const ServingPlan& plan,
                                              const ServingGroup& group, const ModuleSet& set,
                                              const LoadedFiles& files, const MountTable* before,
                                              Unusable unusable) {
  std::unique_ptr<MountTable> table(new MountTable(services, plan, group, before, unusable));
  table->add_modules(set, files);
  return table;
}

Result<bool> MountTable::make_some(std::size_t mounts_max) {
  const std::vector<SiteMount>& mounts = plan_.mounts;
  for (; next_mount_ < mounts.size(); ++next_mount_) {
    if (!group_.has(next_mount_, mounts[next_mount_])) continue;
    if (mounts_max-- == 0) return false;
    const auto made = make_explicit_mount(next_mount_);
    if (!made) return Unexpected(made.error());
  }
  make_default_mounts();
  return true;
}

void MountTable::add_modules(const ModuleSet& set, const LoadedFiles& files) {
  std::vector<Module> broken;
  for (const ModuleEntry& entry : set) {
    if (!is_chosen(plan_.settings, entry)) continue;
    Module module{entry, nullptr, InstanceRef()};
    if (const Module* same = before_ == nullptr ? nullptr : before_->find_path(entry.path);
        same != nullptr && !entry.closed) {
      module.file = same->file;
      module.shared = same->shared;
      module.shared_made = same->shared_made;
    } else if (const auto loaded = files.find(entry.path); loaded != files.end()) {
      auto usable = Result<void>();
      if (loaded->second) {
        module.file = *loaded->second;
        const ModuleInfo& info = module.file->info();
        module.entry.name = info.name;
        const bool has_place = info.default_mount != nullptr && module.file->is_handler();
        module.entry.default_mount = has_place ? info.default_mount : "";
        if (!is_chosen(plan_.settings, module.entry)) continue;
        usable = check_granted(plan_.settings, info);
      } else {
        usable = Unexpected(loaded->second.error());
      }
      if (!usable) {
        problems_.push_back({entry.file, usable.error().message});
        module.file = nullptr;
        if (unusable_ == Unusable::left_out) continue;
        module.broken = true;
        if (entry.name.empty()) {
          broken.push_back(std::move(module));
          continue;
        }
      }
    }
    if (!module.entry.name.empty()) add_module(std::move(module));  // without a name it was never loaded
  }
  add_broken(std::move(broken));
}

void MountTable::add_module(Module module) {
  if (Module* other = find_name(module.entry.name)) {
    if (module.entry.removed) return;  // a file that is still in the folder goes first
    if (other->entry.removed) {
      *other = std::move(module);
      return;
    }
    problems_.push_back({module.entry.file,
                         fmt::format("{} is left out: another file has a module named {} already; remove one",
                                     module.entry.file, module.entry.name)});
    return;
  }
  modules_.push_back(std::move(module));
}

// A file that could never be loaded has no known module name, so the name of the file stands for it.
void MountTable::add_broken(std::vector<Module> broken) {
  for (Module& module : broken) {
    module.entry.name = std::filesystem::path(module.entry.file).stem().string();
    if (is_asked_for(plan_, module.entry.name) && find_name(module.entry.name) == nullptr)
      modules_.push_back(std::move(module));
  }
}

const MountTable::Module* MountTable::find_path(const std::string& path) const {
  const auto found = std::find_if(modules_.begin(), modules_.end(), [&](const Module& module) {
    return module.file != nullptr && module.entry.path == path;
  });
  return found == modules_.end() ? nullptr : &*found;
}

MountTable::Module* MountTable::find_name(std::string_view name) {
  const auto found = std::find_if(modules_.begin(), modules_.end(),
                                  [name](const Module& module) { return module.entry.name == name; });
  return found == modules_.end() ? nullptr : &*found;
}

const MountTable::Mount* MountTable::find_mount(const Mount& wanted) const {
  const auto found = by_place_.find({wanted.site, wanted.prefix, wanted.filter});
  if (found == by_place_.end()) return nullptr;
  const Mount& mount = mounts_[found->second];
  return mount.instance && mount.path == wanted.path ? &mount : nullptr;
}

Unexpected MountTable::unknown_module(const std::string& name, const std::string& wanted_by) const {
  std::string message = fmt::format("{} names the module {}, which ", wanted_by, name);
  message += is_chosen(plan_.settings, name)
                 ? fmt::format("is not in {}", fmt::join(plan_.settings.plugins, " or "))
                 : "--module and --without leave out";
  std::string names;
  for (const Module& module : modules_) names += (names.empty() ? "" : ", ") + module.entry.name;
  message += names.empty() ? "; no module is loaded" : "; there are " + names;
  for (const ModuleProblem& problem : problems_) message += "; " + problem.sentence;
  return fail(message);
}

Result<void> MountTable::check_chosen() const {
  for (const std::string& name : plan_.settings.only) {
    if (std::none_of(modules_.begin(), modules_.end(),
                     [&](const Module& module) { return module.entry.name == name; }))
      return unknown_module(name, "--module " + name);
  }
  return {};
}

Result<void> MountTable::make_explicit_mount(std::size_t index) {
  const auto& [site, spec, folder] = plan_.mounts[index];
  const std::string whose = site_prefix(plan_, site);
  Module* module = find_name(spec.module);
  if (module == nullptr)
    return unknown_module(spec.module, (spec.filter ? "the filter " : "the mount ") + whose + spec.prefix);
  return make_mount(
      *module, site,
      {spec.prefix, spec.options, folder.fd, folder.path, folder.root, folder.folder, whose, spec.filter},
      spec.filter ? index : kNoFilter);
}

void MountTable::make_default_mounts() {
  for (Module& module : modules_) {
    if (!answers_by_default(plan_, group_, module.entry)) continue;
    const std::string& wanted = module.entry.default_mount;
    if (wanted.size() < 2 || wanted.front() != '/' || wanted.back() != '/') {
      problems_.push_back(
          {module.entry.file,
           fmt::format("module {} wants to answer at {}, which does not begin and end with a slash; mount it "
                       "with --mount",
                       module.entry.name, wanted)});
      continue;
    }
    if (is_mounted_at(plan_, 0, wanted)) continue;
    const SitePlan& site = plan_.sites.front();
    const auto made = make_mount(module, 0, {wanted, {}, site.root.get(), wanted.substr(1), site.root_path});
    if (!made) problems_.push_back({module.entry.file, made.error().message});
  }
}

Result<void> MountTable::make_mount(Module& module, std::size_t site, const MountPlan& mount,
                                    std::size_t filter) {
  const auto taken = by_place_.find({site, mount.prefix, filter});
  if (taken != by_place_.end()) {
    return fail(
        fmt::format("module {} cannot answer at {}{}, where {} answers already: mount one of them elsewhere",
                    module.entry.name, mount.site, mount.prefix, reports_[taken->second].module));
  }
  InstanceRef instance;
  const Mount* same =
      before_ == nullptr ? nullptr : before_->find_mount({site, mount.prefix, filter, module.entry.path, {}});
  if (same != nullptr && module.file != nullptr) {
    instance = same->instance;
  } else if (module.file != nullptr) {
    const std::uint64_t began_ms = monotonic_ms();
    const auto asked = ModuleInstance::check_options(*module.file, mount);
    auto made = asked ? make_instance(module, site, mount) : Result<InstanceRef>(Unexpected(asked.error()));
    module.make_ms += monotonic_ms() - began_ms;
    if (made) {
      instance = std::move(*made);
    } else if (unusable_ == Unusable::closed) {
      module.broken = true;
      const bool fits = mount.filter ? module.file->filter_maker() != nullptr : module.file->is_handler();
      problems_.push_back(
          {module.entry.file, made.error().message, !asked && (!fits || !mount.options.empty())});
    } else {
      return Unexpected(made.error());
    }
  }
  by_place_.emplace(PlaceKey(site, mount.prefix, filter), mounts_.size());
  mounts_.push_back({site, mount.prefix, filter, module.entry.path, std::move(instance)});
  reports_.push_back({site, mount.prefix, module.entry.name, false, mount.filter});
  return {};
}

Result<InstanceRef> MountTable::make_instance(Module& module, std::size_t site, const MountPlan& mount) {
  const auto shared = make_shared(module);
  if (!shared) return Unexpected(shared.error());
  auto made = ModuleInstance::create_mounted(services_, module.file, module.shared, mount);
  if (!made) {
    const std::string& why = made.error().message;
    return fail(why + unread_path(why, module.entry.name));
  }
  // The first group has told those of filters.
  if (!mount.filter || !group_.mount) take_warnings(*made->get(), module.entry.file, site, mount);
  return made;
}

void MountTable::take_warnings(ModuleInstance& instance, const std::string& file, std::size_t site,
                               const MountPlan& mount) {
  const bool asked_for = mount.filter || is_mounted_at(plan_, site, mount.prefix) || group_.mount;
  for (std::string& sentence : instance.take_warnings())
    warnings_.push_back({file, asked_for ? site_prefix(plan_, site) + mount.prefix : "", std::move(sentence)});
}

Result<void> MountTable::make_shared(Module& module) {
  if (module.shared_made) return {};
  auto shared = ModuleInstance::create_shared(services_, module.file);
  if (!shared) return Unexpected(shared.error());
  module.shared = std::move(*shared);
  module.shared_made = true;
  return {};
}

void MountTable::refuse_slow(std::uint64_t make_ms_max) {
  for (const Module& module : modules_) {
    if (module.make_ms <= make_ms_max) continue;
    problems_.push_back(
        {module.entry.file,
         fmt::format("module {} takes {} ms to start, and no worker would answer meanwhile: move slow work to "
                     "Host::offload or to its first request, so that it starts within {} ms",
                     module.entry.name, module.make_ms, make_ms_max)});
  }
}

ModuleSet MountTable::usable() const {
  ModuleSet set;
  for (const Module& module : modules_) {
    const bool has_problem = std::any_of(problems_.begin(), problems_.end(), [&](const ModuleProblem& problem) {
      return problem.file == module.entry.file;
    });
    if (module.broken) {
      set.push_back(module.entry);
      set.back().closed = true;
    } else if (!has_problem) {
      set.push_back(module.entry);
    }
  }
  return set;
}

void MountTable::fill(Router& router) const {
  router.clear();
  for (const Mount& mount : mounts_) {
    if (mount.filter == kNoFilter) {
      router.add(mount.site, mount.prefix, mount.instance);
    } else {
      router.add_filter(mount.site, mount.prefix, mount.instance);
    }
  }
}

void MountTable::retire_except(const MountTable& next) {
  for (const Mount& mount : mounts_) {
    if (mount.instance && next.find_mount(mount) == nullptr) mount.instance->retire();
  }
  for (const Module& module : modules_) {
    if (module.shared && next.find_path(module.entry.path) == nullptr) module.shared->retire();
  }
}

}  // namespace sluice
