#include "worker/fork_guard.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

namespace sluice {
namespace {

const OwnDescriptors* own_descriptors = nullptr;
WorkerStats* worker_stats = nullptr;

void in_child() {
  own_descriptors->give_up_in_child();
  // From now on the child writes to memory of its own there. Without any, it ends before it can count for the
  // worker.
  if (::mmap(worker_stats, sizeof(WorkerStats), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED)
    ::_exit(1);
}

}  // namespace

void guard_forks(const OwnDescriptors& own, WorkerStats& stats) {
  own_descriptors = &own;
  worker_stats = &stats;
  if (::pthread_atfork(nullptr, nullptr, in_child) != 0)
    log(LogLevel::warning, "memory is used up: a process that a module forks keeps the server's descriptors");
}

}  // namespace sluice
