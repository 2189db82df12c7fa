// The backtraces of workers that died or are held up, on their way into the log: named in short-lived children,
// so that nothing about them can harm or hold up the supervisor.
//
// Supervisor's thread; never blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// What a snapshot says, copied out of shared memory.
struct Culprit {
  std::string module;  // empty: the server itself
  std::uint32_t generation = 0;
  std::string request;   // empty: none
  int signal = 0;        // 0 for none
  bool outside = false;  // somebody else ended the process, whatever it was doing
  int sent_by = 0;       // who that was; 0 for nobody or unknown
  std::vector<Snapshot::Frame> frames;

  // The module whose fault it was; empty for none.
  std::string blamed() const { return outside ? std::string() : module; }
  // "inside module hello, generation 2, for GET /x HTTP/1.1"
  std::string text() const;
};

// Of a snapshot that has been taken; one without a request or frames when it could not be finished.
Culprit read_snapshot(const WorkerStats& stats, const Snapshot& snapshot);
// What a thread is in, without frames.
Culprit read_note(const WorkerStats& stats, const CallNote& note);
// What a process was in that has left no snapshot: its loop, else its offload threads, as far as they agree.
Culprit read_notes(const WorkerStats& stats);

class FaultReports {
 public:
  // In the child: gives up what only the supervisor may hold and do. Without success nothing is named.
  using Confine = std::function<Result<void>()>;
  // Has the frames named and logged. `copies`: the folder of the modules' private copies.
  void begin(std::vector<Snapshot::Frame> frames, const std::string& copies, const Confine& confine);
  void close_for_child();
  // Whether the child was one of these, and what it said is logged.
  bool ended(pid_t pid, int status);
  // Ends those that take too long.
  void step(std::uint64_t now_ms);

 private:
  struct Report {
    std::unique_ptr<Child> child;
    std::vector<Snapshot::Frame> frames;
    std::uint64_t until_ms;
  };
  std::vector<Report> reports_;
};

}  // namespace sluice
