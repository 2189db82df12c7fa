// What the first thread of a worker, which is its loop's, waits for in the kernel, by /proc: code that waits
// for a disk or a file system that does not answer is not at fault.
//
// Any process; never blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace sluice {

enum class WaitKind : std::uint8_t {
  none,   // it runs, or is about to
  sleep,  // something that a signal would end
  disk,   // a disk, or a file system of whatever kind
};

// At this moment. Where /proc does not tell which call it is, only waits that no signal ends count as `disk`.
WaitKind wait_kind(pid_t worker);

}  // namespace sluice
