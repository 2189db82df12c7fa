// While a slot of a group has no worker that serves, another worker of its site accepts from the slot's
// sockets. The kernel goes on giving connections to them, and without a stand-in their clients would wait until
// a fork succeeds again, or a pause between restarts is over.
//
// Supervisor's thread; never blocks.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "process/worker_group.h"

namespace sluice {

class StandIns {
 public:
  // A worker that is replaced at once needs none.
  static constexpr std::uint64_t kAbsentMs = 100;
  // How often a stand-in is told again. It may have had no descriptor left for the sockets.
  static constexpr std::uint64_t kTellMs = 1'000;

  using CanHelp = std::function<bool(const WorkerProcess&)>;
  // Finds stand-ins for the slots that need one, and relieves those whose slots are filled. To be called again
  // and again.
  void look(const WorkerGroup& group, std::uint64_t now_ms, const CanHelp& can_help);

 private:
  struct Absence {
    std::uint64_t since_ms = 0;
    std::uint64_t tell_ms = 0;  // when the stand-in is told again
    pid_t helper = -1;
  };

  static void help(const WorkerGroup& group, std::size_t slot, Absence& absence, std::uint64_t now_ms,
                   const CanHelp& can_help);

  std::map<std::size_t, Absence> absences_;  // by slot
};

}  // namespace sluice
