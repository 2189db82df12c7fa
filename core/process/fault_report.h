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
#include "telemetry/fault_snapshot.h"

namespace sluice {

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
