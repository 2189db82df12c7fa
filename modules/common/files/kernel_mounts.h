// The file systems that are mounted, as far as it matters here: which of them tell this machine of every
// change, since nobody but this kernel changes them. By /proc/self/mountinfo, for asking a file system that
// hangs for its name would wait for it. Loop thread; waits for nothing.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "common/files/owned_fd.h"

namespace sluice::files {

// What is known of an open file, also an O_PATH one, without asking a server or a process. False, with errno
// set, where the kernel does not say.
bool look_unsynced(int fd, struct statx& known);

class KernelMounts {
 public:
  KernelMounts();

  // Has an exceptional condition (EPOLLPRI) once something was mounted or unmounted; -1 where that is not told.
  int fd() const { return mountinfo_.get(); }
  // What is mounted is to be read again.
  void forget() { known_ = false; }
  // Whether inotify tells of all changes to what `look_unsynced` has seen.
  bool tells(const struct statx& known);

 private:
  void read();

  OwnedFd mountinfo_;
  bool known_ = false;
  std::vector<std::uint64_t> telling_;  // numbers of mounts, in order
};

}  // namespace sluice::files
