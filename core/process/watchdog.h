// Watches the turns of all workers' loops: names who holds one for long, has a sibling accept in the held
// worker's place meanwhile, and ends a worker that does not come back. A wait for a disk is nobody's fault. A
// worker that a signal has stopped is helped, too, and left alone. Names offloaded calls that do not end.
//
// Supervisor's thread; never blocks. Reads the workers' shared memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "process/culprit.h"
#include "process/wait_kind.h"
#include "process/worker_group.h"

namespace sluice {

class Watchdog {
 public:
  // How often `look` wants to be called at least.
  static constexpr std::uint64_t kLookMs = 50;
  // When `look` has to be called next so that every turn of more than 100 ms is noticed.
  std::uint64_t due_ns() const { return due_ns_; }

  // `retired` are looked at, too, but accept no more, so nobody helps them. `hang_ms`: see ModulePolicy. What
  // passed until a look that came late does not count: then everything has stood still. `report` logs the
  // frames of who is held up.
  using Report = std::function<void(Culprit culprit)>;
  void look(const WorkerGroup& group, const std::vector<WorkerProcess*>& retired, std::uint64_t now_ns,
            std::uint32_t hang_ms, const Report& report);
  // A worker is stopped: another helps whom it has helped.
  void stopped(const WorkerGroup& group, WorkerProcess& worker);
  // A worker has ended: it is neither held nor helps any more.
  void forget(const WorkerGroup& group, const WorkerProcess& worker);

 private:
  struct Held {
    std::uint64_t began_ns = 0;      // of the turn
    std::uint64_t since_ns = 0;      // as far as it counts
    Culprit inside;                  // when it was first found
    WaitKind wait = WaitKind::none;  // then
    std::uint32_t asked = 0;         // Snapshot::taken before it was asked for; 0 when it was not
    bool named = false;
    pid_t helper = -1;
    std::uint64_t ended_ns = 0;  // when it was told to die
  };

  // Null when it is not held up.
  Held* look_at(const WorkerGroup& group, WorkerProcess& worker, std::uint64_t now_ns, const Report& report);
  // Null when the turn has ended meanwhile.
  Held* find_out(const WorkerProcess& worker, std::uint64_t began_ns, std::uint64_t since_ns);
  void name_if_known(const WorkerProcess& worker, Held& held, std::uint64_t now_ns, const Report& report);
  static void name(const WorkerProcess& worker, Held& held, std::uint64_t now_ns, const Report& report);
  void look_at_threads(const WorkerProcess& worker, std::uint64_t now_ns, std::uint64_t limit_ns);
  void help(const WorkerGroup& group, const WorkerProcess& worker, Held& held);
  void end_help(const WorkerGroup& group, const WorkerProcess& worker, Held& held);
  static void end(WorkerProcess& worker, Held& held, bool dying, std::uint64_t now_ns);

  std::map<pid_t, Held> held_;
  // Offloaded calls that have been told of: by process and thread, since when they run.
  std::map<std::pair<pid_t, unsigned>, std::uint64_t> long_calls_;
  std::uint64_t due_ns_ = 0;
  std::uint64_t looked_ns_ = 0;
  std::uint64_t counts_from_ns_ = 0;
};

}  // namespace sluice
