#include "swap/folder_access.h"

#include <pwd.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <set>
#include <utility>

namespace sluice {
namespace {

// A confined process may not read the list of users.
std::string user_name(const ServingPlan& plan) {
  if (plan.user) return plan.user->name;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "with the ID " + std::to_string(::geteuid());
}

bool is_refused(int folder, const std::string& path) {
  return ::faccessat(folder, path.empty() ? "." : path.c_str(), X_OK, 0) != 0 && errno == EACCES;
}

// The first folder along `path` that the user may not enter. REQUIRES: `path` does not end with a slash.
std::string first_refused(int folder, const std::string& path) {
  if (is_refused(folder, "")) return "";
  std::size_t slash = path.find('/');
  while (slash != std::string::npos && !is_refused(folder, path.substr(0, slash))) {
    slash = path.find('/', slash + 1);
  }
  return path.substr(0, slash);
}

std::string path_of(int folder) {
  char path[PATH_MAX];
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(folder)).c_str(), path, sizeof(path));
  return size <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

struct MountedFolder {
  std::size_t site = 0;
  std::string prefix;
  MountFolder folder;
};

// The folders of all mounts in the settings, also of isolated ones, and of the default mounts among `mounts`.
std::vector<MountedFolder> mounted_folders(const ServingPlan& plan, const std::vector<MountReport>& mounts) {
  std::vector<MountedFolder> all;
  std::set<std::pair<std::size_t, std::string>> known;
  for (const SiteMount& mount : plan.mounts) {
    if (mount.spec.filter) continue;
    all.push_back({mount.site, mount.spec.prefix, mount.folder});
    known.emplace(mount.site, mount.spec.prefix);
  }
  for (const MountReport& mount : mounts) {
    if (mount.filter || known.contains({mount.site, mount.prefix})) continue;
    all.push_back({mount.site, mount.prefix, {plan.sites[mount.site].root.get(), mount.prefix.substr(1)}});
  }
  return all;
}

}  // namespace

std::vector<ModuleWarning> refused_folders(const ServingPlan& plan, const std::vector<MountReport>& mounts) {
  std::vector<ModuleWarning> warnings;
  const auto warn = [&](const std::string& prefix, const std::string& folder, const std::string& whose) {
    warnings.push_back(
        {"", prefix,
         fmt::format("the user {} may not enter the folder {}, so all requests for {} get 403: allow it "
                     "(chmod o+x {}), or name another user with --user",
                     user_name(plan), folder, whose, folder)});
  };
  std::set<int> refused_roots;
  for (std::size_t i = 0; i < plan.sites.size(); ++i) {
    const SitePlan& site = plan.sites[i];
    if (!is_refused(site.root.get(), "")) continue;
    refused_roots.insert(site.root.get());
    warn(site_prefix(plan, i) + "/", path_of(site.root.get()),
         site.is_default ? "the document root" : "the site " + site.label);
  }
  for (auto& [site, prefix, folder] : mounted_folders(plan, mounts)) {
    if (refused_roots.contains(folder.fd) || !is_refused(folder.fd, folder.path)) continue;
    if (folder.path.ends_with('/')) folder.path.pop_back();
    const std::string refused = first_refused(folder.fd, folder.path);
    const std::string mount = site_prefix(plan, site) + prefix;
    warn(mount, path_of(folder.fd) + (refused.empty() ? "" : "/") + refused, "the mount " + mount);
  }
  return warnings;
}

}  // namespace sluice
