#include "settings/user.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <cerrno>
#include <csignal>

#include "settings/name_service.h"

namespace sluice {
namespace {

// The root of a container or of a user namespace often may not change users.
Unexpected cannot_become(const User& user, int error) {
  const std::string remedy = "or stay root with --user root";
  if (error == EINVAL) {
    return fail(
        fmt::format("cannot change to the user {}, whose number {} is not mapped into this user namespace: "
                    "map it, name a mapped user with --user, {}",
                    user.name, user.uid, remedy));
  }
  if (error == EPERM) {
    return fail(
        fmt::format("cannot change to the user {}: this root may not change users; give the container "
                    "CAP_SETUID, CAP_SETGID and CAP_KILL, {}",
                    user.name, remedy));
  }
  return fail_errno("cannot change to the user " + user.name, error);
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& name) {
  const bool is_root = ::geteuid() == 0;
  if (name.empty() && !is_root) return std::nullopt;
  const std::string wanted = name.empty() ? "www-data" : name;
  const auto numbers = look_up_user(wanted);
  if (!numbers) return fail(fmt::format("there is no user {}: name one that exists with --user", wanted));
  if (numbers->uid == ::geteuid()) return std::nullopt;
  if (!is_root)
    return fail(fmt::format("only root may change to the user {}: start as root, or leave --user out", wanted));
  return User{wanted, numbers->uid, numbers->gid};
}

Result<void> become(const User& user) {
  // Changing users clears the signal for the parent's end (prctl(2)), so it is set again below.
  int at_parents_end = 0;
  ::prctl(PR_GET_PDEATHSIG, &at_parents_end);
  const pid_t parent = ::getppid();
  if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
    return cannot_become(user, errno);
  // Changing users forbids core dumps and debugging (prctl(2)). Both are useful when a module crashes.
  ::prctl(PR_SET_DUMPABLE, 1);
  ::prctl(PR_SET_PDEATHSIG, at_parents_end);
  if (at_parents_end != 0 && ::getppid() != parent) ::raise(at_parents_end);  // the parent ended in between
  return {};
}

}  // namespace sluice
