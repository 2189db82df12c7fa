// A worker's process as its supervisor holds it: forked, spoken to through a socket pair, told apart when it
// dies.
//
// Supervisor's thread. The destructor neither stops nor waits for the process; whoever reaps it does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "module/module_set.h"
#include "process/culprit.h"
#include "telemetry/worker_stats.h"
#include "worker/worker_main.h"
#include "worker/worker_message.h"

namespace sluice {

class WorkerProcess {
 public:
  using Start = WorkerStart;

  static Result<std::unique_ptr<WorkerProcess>> start(const Start& start);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  unsigned index() const { return index_; }
  std::uint64_t started_ms() const { return started_ms_; }  // CLOCK_MONOTONIC
  int control() const { return control_.get(); }
  bool ready() const { return ready_; }
  const WorkerStats& stats() const { return *stats_; }
  // False when it does not take it; one that is gone is reaped in its own time.
  bool tell(const WorkerMessage& message, int fd = -1) { return send_message(control_.get(), message, fd); }
  // The next thing that the worker has said.
  std::optional<WorkerMessage> hear();
  void kill();
  // The same, and its end is no surprise.
  void dismiss();
  bool dismissed() const { return dismissed_; }
  // Whatever its loop was at, it is on its way out: by a fault, dismissed, or already the kernel's to end.
  bool dying() const;
  // A signal has stopped it, or it goes on; what passed until then does not count as held up.
  void set_stopped(bool stopped);
  bool stopped() const { return stopped_; }
  std::uint64_t went_on_ns() const { return went_on_ns_; }  // 0: it was never stopped
  // It holds its loop too long, and is being ended for it; `by_disk`: which is no fault of whom it is inside.
  void condemn(bool by_disk);
  bool held_by_disk() const { return held_by_disk_; }
  // Killed, or seen to end, and still not to be reaped after kGoneMs: a disk that does not answer holds it in
  // the kernel, or it may not be killed.
  static constexpr std::uint64_t kGoneMs = 3'000;
  // Its first thread may have ended while the kernel holds another one, and nothing else tells of that.
  void look_whether_it_ends(std::uint64_t now_ms);
  bool does_not_end(std::uint64_t now_ms) const { return ending_ms_ != 0 && now_ms >= ending_ms_ + kGoneMs; }
  // What it was doing when it ended inside a module, in whatever way, or by a fault; nothing when it ended
  // otherwise. A thread that has noted nothing is known by its frames, as far as they are of these modules.
  std::optional<Culprit> culprit(int status, const ModuleSet& modules) const;
  // How it ended, for the log: "was killed by SIGSEGV inside module hello, generation 2".
  std::string ending(int status, const std::optional<Culprit>& culprit) const;

 private:
  WorkerProcess() = default;

  pid_t pid_ = -1;
  unsigned index_ = 0;
  std::uint64_t started_ms_ = 0;
  UniqueFd control_;
  SharedStats stats_;
  bool ready_ = false;
  bool condemned_ = false;
  bool held_by_disk_ = false;
  std::uint64_t ending_ms_ = 0;  // since when it is about to end
  bool dismissed_ = false;
  bool stopped_ = false;
  std::uint64_t went_on_ns_ = 0;
};

}  // namespace sluice
