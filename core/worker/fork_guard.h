// What a process may not keep that a module has forked and that goes on without exec(3): the worker's sockets,
// by which the address would stay in use and clients would wait for ever, and the memory in which the worker
// counts. (exec closes the former by itself, and so does posix_spawn(3).)
#pragma once

#include "loop/own_descriptors.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// For the calling process, once and for good; both must live as long. `stats` is a mapping of its own.
void guard_forks(const OwnDescriptors& own, WorkerStats& stats);

}  // namespace sluice
