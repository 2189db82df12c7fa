#include "user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

namespace sluice {

Result<std::optional<User>> find_user(const std::string& name) {
  const bool is_root = ::geteuid() == 0;
  if (name.empty() && !is_root) return std::nullopt;
  const std::string wanted = name.empty() ? "www-data" : name;
  const passwd* entry = ::getpwnam(wanted.c_str());
  if (entry == nullptr) return fail("there is no user " + wanted + ": name one that exists with --user");
  if (entry->pw_uid == ::geteuid()) return std::nullopt;
  if (!is_root)
    return fail("only root may change to the user " + wanted + ": start as root, or leave --user out");
  return User{wanted, entry->pw_uid, entry->pw_gid};
}

Result<void> become(const User& user) {
  if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0) {
    return fail_errno("cannot change to the user " + user.name, errno);
  }
  // Changing users forbids core dumps and debugging (prctl(2)); both are wanted when a module crashes.
  ::prctl(PR_SET_DUMPABLE, 1);
  return {};
}

}  // namespace sluice
