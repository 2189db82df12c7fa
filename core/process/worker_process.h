// A worker's process, for its supervisor: it forks it, talks to it through a socket pair, and finds out whether
// it ends, and how.
//
// Supervisor's thread; the loop hears what the worker says. The destructor neither stops the process nor waits
// for it; other code reaps it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "loop/alarm.h"
#include "loop/registration.h"
#include "module/module_set.h"
#include "process/access_logs.h"
#include "process/culprit.h"
#include "process/question_pace.h"
#include "process/worker_seats.h"
#include "telemetry/worker_stats.h"
#include "worker/wait_kind.h"
#include "worker/worker_main.h"
#include "worker/worker_message.h"

namespace sluice {

class WorkerProcess final : private Pollable {
 public:
  using Start = WorkerStart;

  class Owner {
   public:
    // REQUIRES: does not destroy the worker.
    virtual void heard(WorkerProcess& worker, const WorkerMessage& message) = 0;
    // The worker was killed, or was seen to end, and kGoneMs later it has not been reaped: a disk that does not
    // answer holds it in the kernel, or it may not be killed. May destroy the worker.
    virtual void does_not_end(WorkerProcess& worker) = 0;

   protected:
    ~Owner() = default;
  };
  static constexpr std::uint64_t kGoneMs = 3'000;

  // What it has borrowed, and gives back when it is destroyed.
  struct Leases {
    AccessLease access;
    WorkerSeats::Lease seat;
  };
  // `loop` and `owner` live longer.
  static Result<std::unique_ptr<WorkerProcess>> start(const Start& start, Leases leases, EventLoop& loop,
                                                      Owner& owner);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  unsigned index() const { return index_; }
  std::uint64_t started_ms() const { return started_ms_; }  // CLOCK_MONOTONIC
  bool ready() const { return ready_; }
  // What its modules are granted, for people; empty for nothing.
  const std::string& granted() const { return granted_; }
  const WorkerStats& stats() const { return *stats_; }
  // False when the message cannot be sent. A worker that is gone is reaped later.
  bool tell(const WorkerMessage& message, int fd = -1) { return send_message(control_.get(), message, fd); }
  // What it may still use when nobody waits for it any more.
  WorkerSeats::Lease take_seat() { return std::move(leases_.seat); }
  QuestionPace& question_pace() { return question_pace_; }
  // Whether it has read what it was told before, but for a few messages. One that does not read keeps what the
  // messages carry.
  bool reads_messages() const;
  void kill();
  // Kills it, and its end needs no report.
  void dismiss();
  bool dismissed() const { return dismissed_; }
  // It is ending, whatever its loop does: by a fault, dismissed, or by the kernel.
  bool dying() const;
  // A signal has stopped it, or it goes on. Time while it was stopped does not count as held up.
  void set_stopped(bool stopped);
  // What its loop waits for. May take some milliseconds if the worker has to look itself.
  WaitKind wait_kind() const;
  bool stopped() const { return stopped_; }
  std::uint64_t went_on_ns() const { return went_on_ns_; }  // 0: it was never stopped
  // It holds its loop up for too long and is being ended. `by_disk`: a disk is the reason, not the module it
  // is in.
  void condemn(bool by_disk);
  bool held_by_disk() const { return held_by_disk_; }
  // What it was doing when it ended by a fault, or in any way inside a module; nothing when it ended
  // otherwise. A thread without a note is known by its frames, if they are of these modules.
  std::optional<Culprit> culprit(int status, const ModuleSet& modules) const;
  // Its end, for the log: "was killed by SIGSEGV inside module hello, generation 2".
  std::string ending(int status, const std::optional<Culprit>& culprit) const;

 private:
  WorkerProcess(EventLoop& loop, Owner& owner)
      : owner_(owner), look_(loop, [this] { look_whether_it_ends(); }) {}
  void on_events(std::uint32_t events) override;
  void ends();
  void look_whether_it_ends();

  Owner& owner_;
  pid_t pid_ = -1;
  unsigned index_ = 0;
  std::uint64_t started_ms_ = 0;
  std::string granted_;
  UniqueFd control_;
  UniqueFd ask_wait_;
  Registration messages_;
  Alarm look_;
  SharedStats stats_;
  Leases leases_;
  QuestionPace question_pace_;
  bool ready_ = false;
  bool condemned_ = false;
  bool held_by_disk_ = false;
  bool ending_ = false;
  bool dismissed_ = false;
  bool stopped_ = false;
  std::uint64_t went_on_ns_ = 0;
};

}  // namespace sluice
