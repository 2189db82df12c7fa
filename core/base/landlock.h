// Landlock (landlock(7)): a process gives up the right to open files outside of certain folders, to use TCP
// addresses of its own choice, and to reach processes outside. It holds for the calling thread, for the threads
// that it makes later, and for its children.
//
// Descriptors that are open already can be used as before. Looking at a file's attributes, watching it, and
// opening it by O_PATH stay allowed. A rule is for the folder that is there now, not for its path.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

// The version of Landlock that the kernel offers; 0 for none. Since version 3 truncating is covered, since 4
// TCP, since 5 devices, since 6 signals and abstract Unix sockets.
int landlock_version();
inline constexpr int kLandlockTcp = 4;
inline constexpr int kLandlockScopes = 6;

class LandlockRules {
 public:
  // What stays allowed everywhere.
  struct Free {
    bool connect = false;  // TCP
    bool bind = false;     // TCP
    bool abstract_sockets = false;
  };
  // `version` is the kernel's, and at least 1.
  static Result<LandlockRules> begin(int version, const Free& free);

  enum class Access : std::uint8_t {
    read,
    write,  // and read, make and remove
    use,    // read and write what is there: devices
    run,    // and read
  };
  // Beneath a folder, or for a file. The descriptor may be of O_PATH. What is in no folder, as a pipe, needs no
  // rule. The error names the path.
  Result<void> allow(int fd, Access access);
  // A path that does not exist, or that this process cannot reach, is left out.
  Result<void> allow(const std::string& path, Access access);
  // From now on everything else is refused. Needs no_new_privs.
  Result<void> enforce() const;

 private:
  LandlockRules(UniqueFd fd, std::uint64_t handled) : fd_(std::move(fd)), handled_(handled) {}

  UniqueFd fd_;
  std::uint64_t handled_;
};

}  // namespace sluice
