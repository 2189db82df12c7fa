// Writes the backtraces of workers that died or are held up into the log. Short-lived children look up the
// names, so that a bad file cannot harm the supervisor or hold it up.
//
// Supervisor's thread; never blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "loop/alarm.h"
#include "telemetry/fault_snapshot.h"

namespace sluice {

class FaultReports {
 public:
  explicit FaultReports(EventLoop& loop) : loop_(loop) {}

  // Called in the child: gives up the supervisor's rights and descriptors. If that fails, no names are looked
  // up.
  using Confine = std::function<Result<void>()>;
  // Starts a child that names and logs the frames. It is ended when it takes too long. `copies` is the folder
  // of the modules' private copies.
  void begin(std::vector<Snapshot::Frame> frames, const std::string& copies, const Confine& confine);
  void close_for_child();
  // Whether the child was one of these. If so, its output is logged.
  bool ended(pid_t pid, int status);

 private:
  struct Report {
    std::unique_ptr<Child> child;
    std::vector<Snapshot::Frame> frames;
    std::unique_ptr<Alarm> limit;
  };
  std::vector<Report>::iterator find(pid_t pid);
  void give_up(pid_t pid);

  EventLoop& loop_;
  std::vector<Report> reports_;
};

}  // namespace sluice
