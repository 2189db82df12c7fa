// Everything that a worker needs to begin, except its modules: settings with their folders opened.
//
// The supervisor makes it, because workers may not have the right to open the folders. It is read-only
// afterwards, and forked workers share it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ticket_keys.h"
#include "base/unique_fd.h"
#include "settings/certificate.h"
#include "settings/settings.h"
#include "settings/user.h"

namespace sluice {

struct MountFolder {
  int fd = -1;           // ServingPlan::root, or one of ServingPlan::folders
  std::string path;      // below `fd`; empty or ending in '/'
  std::string root{};    // the path of `fd`, as it is written in the settings, made absolute
  std::string folder{};  // the same for root=DIR, if DIR lies below the document root
};

// Addresses and the mounts that answer there. Each site has workers of its own.
struct ServingSite {
  std::vector<ListenAddress> listen;
  unsigned workers = 1;
  std::optional<std::size_t> mount;  // the only mount, in settings.mounts; nullopt: all that are not isolated

  bool has(std::size_t index, const MountSpec& spec) const { return mount ? *mount == index : !spec.isolate; }
};

struct ServingPlan {
  Settings settings;
  std::vector<ServingSite> sites;  // first the server's own site, then one for each isolated mount
  std::optional<User> user;
  UniqueFd root;
  std::string root_path;                    // as it is written in the settings, made absolute
  std::vector<UniqueFd> folders;            // of mounts outside the document root
  std::vector<MountFolder> mount_folders;   // one for each of settings.mounts
  std::vector<Certificate> certificates;    // empty if no address has TLS
  std::shared_ptr<TicketKeys> ticket_keys;  // null if no address has TLS
};
using PlanPtr = std::shared_ptr<const ServingPlan>;

// Opens a folder to resolve paths below it (O_PATH). The error is one sentence: "WHAT PATH does not exist:
// REMEDY".
Result<UniqueFd> open_folder(const std::string& path, const std::string& what, const std::string& remedy);

// Opens the folders, and reads the certificates. The plan that it replaces passes on what must not change with
// a reload. The error is one sentence.
Result<PlanPtr> make_plan(const Settings& settings, const ServingPlan* before = nullptr);

}  // namespace sluice
