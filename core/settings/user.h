// The user that workers run as when the server was started as root.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"

namespace sluice {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

// The user that workers become; nothing when they stay who they are. An empty name means www-data when root has
// started the server, and no change otherwise. The error says what to do.
Result<std::optional<User>> find_user(const std::string& name);

// For good: groups, group and user of this process. Signals and /proc stay accessible to the same user, and
// what was asked for the parent's end (PR_SET_PDEATHSIG) still holds.
Result<void> become(const User& user);

}  // namespace sluice
