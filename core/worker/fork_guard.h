// Limits a process that a module forks and that goes on without exec(3). It must not keep the worker's
// sockets, or the address would stay in use and clients would wait for ever. Nor may it write to the memory
// in which the worker counts. (exec and posix_spawn(3) close the sockets by themselves.)
#pragma once

#include "loop/own_descriptors.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// Guards the calling process, for good. Both arguments must live as long. `stats` is a mapping of its own.
void guard_forks(const OwnDescriptors& own, WorkerStats& stats);

}  // namespace sluice
