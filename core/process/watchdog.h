// Watches the turns of all workers' loops. When a module holds one up for long, it logs that, lets another
// worker of the site accept in the held worker's place, and ends the worker if it does not come back. A wait
// for a disk is no module's fault. A worker that a signal has stopped is helped as well, and left alone. So are
// slots without a worker. It also logs offloaded calls that do not end.
//
// Supervisor's thread; never blocks. Reads the workers' shared memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "loop/alarm.h"
#include "process/culprit.h"
#include "process/stand_ins.h"
#include "process/worker_group.h"

namespace sluice {

class Watchdog {
 public:
  // `retired` workers are watched as well. They do not accept any more, so they need no help.
  struct Watched {
    const WorkerGroup& group;
    std::vector<WorkerProcess*> retired;
  };
  // Logs the frames of a held worker.
  using Report = std::function<void(Culprit culprit)>;
  Watchdog(EventLoop& loop, std::function<Watched()> watched, Report report)
      : watched_(std::move(watched)), report_(std::move(report)), look_(loop, [this] { look(); }) {}

  // Begins to look, every kLookMs and whenever something is due.
  static constexpr std::uint64_t kLookMs = 50;
  void begin() { look_.soon(); }
  // Looks no more.
  void end() { look_.off(); }
  // A worker was stopped. The workers that it helps get another helper.
  void stopped(const WorkerGroup& group, WorkerProcess& worker);
  // A worker has ended: it is no longer held up, and helps no more.
  void forget(const WorkerGroup& group, const WorkerProcess& worker);

 private:
  struct Held {
    std::uint64_t began_ns = 0;      // the beginning of the turn
    std::uint64_t since_ns = 0;      // the beginning of the time that counts
    Culprit inside;                  // when this was first found
    WaitKind wait = WaitKind::none;  // at that time
    std::uint32_t asked = 0;         // Snapshot::taken before one was requested; 0: not requested
    bool named = false;
    pid_t helper = -1;
    std::uint64_t ended_ns = 0;  // when it was told to die
  };

  // When a look comes late, the whole machine has stood still, and the time before it does not count.
  void look();
  // Null when it is not held up.
  Held* look_at(const WorkerGroup& group, WorkerProcess& worker, std::uint64_t now_ns);
  // Null when the turn has ended meanwhile.
  Held* find_out(const WorkerProcess& worker, std::uint64_t began_ns, std::uint64_t since_ns);
  void name_if_known(const WorkerProcess& worker, Held& held, std::uint64_t now_ns);
  void name(const WorkerProcess& worker, Held& held, std::uint64_t now_ns) const;
  void look_at_threads(const WorkerProcess& worker, std::uint64_t now_ns, std::uint64_t limit_ns);
  void help(const WorkerGroup& group, const WorkerProcess& worker, Held& held);
  void end_help(const WorkerGroup& group, const WorkerProcess& worker, Held& held);
  bool can_help(const WorkerProcess& worker) const {
    return !worker.stopped() && !held_.contains(worker.pid());
  }
  static void end_worker(WorkerProcess& worker, Held& held, bool dying, std::uint64_t now_ns);

  std::function<Watched()> watched_;
  Report report_;
  Alarm look_;
  StandIns stand_ins_;
  std::map<pid_t, Held> held_;
  // Offloaded calls that were logged: by process and thread, with the time when they began.
  std::map<std::pair<pid_t, unsigned>, std::uint64_t> long_calls_;
  std::uint64_t due_ns_ = 0;  // the next look, so that every turn of more than 100 ms is noticed
  std::uint64_t looked_ns_ = 0;
  std::uint64_t counts_from_ns_ = 0;
};

}  // namespace sluice
