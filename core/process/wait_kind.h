// What the first thread of a worker (the loop's) waits for in the kernel, by /proc. A module that waits for a
// disk or a file system that does not answer has no fault.
//
// Any process; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace sluice {

enum class WaitKind : std::uint8_t {
  none,   // it runs, or is about to run
  sleep,  // a wait that a signal would end
  disk,   // a disk, or a file system of any kind
};

// The present wait. If /proc does not tell the system call, only waits that no signal ends count as `disk`.
WaitKind wait_kind(pid_t worker);

}  // namespace sluice
