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

// The user that workers become; nullopt if they keep theirs. An empty name means www-data if root has started
// the server, and no change otherwise. The error says what to do.
Result<std::optional<User>> find_user(const std::string& name);

// Changes the groups, the group and the user of this process for good. The user can still debug the process,
// and the signal for the parent's end (PR_SET_PDEATHSIG) stays.
Result<void> become(const User& user);

}  // namespace sluice
