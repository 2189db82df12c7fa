// Everything that a worker needs to begin: settings with their folders opened and their modules copied.
//
// Made by the supervisor while it may still open everything; read-only afterwards, shared with forked workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "module_store.h"
#include "unique_fd.h"
#include "user.h"

namespace sluice {

struct MountFolder {
  int fd = -1;       // the document root's, or one of `folders`
  std::string path;  // below it; empty or ending in '/'
};

struct ServingPlan {
  Settings settings;
  unsigned workers = 1;
  std::optional<User> user;
  UniqueFd root;
  std::vector<UniqueFd> folders;           // of mounts outside the document root
  std::vector<MountFolder> mount_folders;  // one for each of settings.mounts
  std::unique_ptr<ModuleCopies> modules;
};

// Opens and copies; the error is one sentence.
Result<std::shared_ptr<const ServingPlan>> make_plan(const Settings& settings, ModuleStore& store);

}  // namespace sluice
