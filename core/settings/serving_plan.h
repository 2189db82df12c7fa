// Everything that a worker needs to begin, except its modules: settings with their folders opened.
//
// Made by the supervisor while it may still open everything; read-only afterwards, shared with forked workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "settings/settings.h"
#include "settings/user.h"

namespace sluice {

struct MountFolder {
  int fd = -1;           // the document root's, or one of `folders`
  std::string path;      // below it; empty or ending in '/'
  std::string root{};    // where `fd` is, as a person wrote it, made absolute
  std::string folder{};  // the same of root=DIR, where that lies below the document root
};

// Addresses, and what answers there: workers of one site accept from no other.
struct ServingSite {
  std::vector<ListenAddress> listen;
  unsigned workers = 1;
  std::optional<std::size_t> mount;  // the only one, of settings.mounts; without it, all that are not isolated

  bool has(std::size_t index, const MountSpec& spec) const { return mount ? *mount == index : !spec.isolate; }
};

struct ServingPlan {
  Settings settings;
  std::vector<ServingSite> sites;  // the first one is the server's own, the others are isolated mounts'
  std::optional<User> user;
  UniqueFd root;
  std::string root_path;                   // as a person wrote it, made absolute
  std::vector<UniqueFd> folders;           // of mounts outside the document root
  std::vector<MountFolder> mount_folders;  // one for each of settings.mounts
};
using PlanPtr = std::shared_ptr<const ServingPlan>;

// Opens the folders; the error is one sentence.
Result<PlanPtr> make_plan(const Settings& settings);

}  // namespace sluice
