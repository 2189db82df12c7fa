// What the first thread of a worker (the loop's) waits for in the kernel, by /proc. A module that waits for a
// disk or a file system that does not answer has no fault.
//
// /proc shows the system call of a worker to its own process, and to a supervisor that may trace all processes.
// Others find it closed, because workers are hidden from their user: then the worker has to look itself.
//
// Any process; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "base/unique_fd.h"

namespace sluice {

enum class WaitKind : std::uint8_t {
  none,   // it runs, or is about to run
  sleep,  // a wait that a signal would end
  disk,   // a disk, or a file system of any kind
};

// The present wait of that worker; nothing if /proc does not tell.
std::optional<WaitKind> wait_kind(pid_t worker);

// The same for the process that made it, before it was hidden.
class OwnWait {
 public:
  OwnWait();
  // Without a system call in /proc, only waits that no signal ends count as `disk`.
  WaitKind kind() const;
  int fd() const { return call_.get(); }

 private:
  UniqueFd call_;  // of /proc/self/syscall
};

}  // namespace sluice
