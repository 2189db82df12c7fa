// Which mounted file systems report every change to this machine, because only this kernel changes them.
// Reads /proc/self/mountinfo: asking a file system that hangs for its type would wait for it. Loop thread;
// waits for nothing.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "common/files/owned_fd.h"

namespace sluice::files {

// What the kernel knows of an open file (also an O_PATH one) without asking a server or a process. False,
// with errno set, if the kernel does not say.
bool look_unsynced(int fd, struct statx& known);

class KernelMounts {
 public:
  KernelMounts();

  // A descriptor that gets EPOLLPRI when something is mounted or unmounted; -1 if the kernel does not report
  // it.
  int fd() const { return mountinfo_.get(); }
  // The table of mounts is to be read again.
  void forget() { known_ = false; }
  // Whether inotify reports all changes to the file that `look_unsynced` described.
  bool tells(const struct statx& known);

 private:
  void read();

  OwnedFd mountinfo_;
  bool known_ = false;
  std::vector<std::uint64_t> telling_;  // numbers of mounts, in order
};

}  // namespace sluice::files
