// Measures the turns of a loop: the time without waiting for a processor, and how often the thread slept, which
// it never should. It costs four system calls a turn, so it is off unless the settings ask for it.
//
// Called by the thread that created it, at the beginning and the end of each turn.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

struct AuditedTurn {
  std::uint64_t net_ns = 0;  // without waiting for a processor
  std::uint64_t sleeps = 0;
  std::uint64_t disk_pages = 0;  // pages of memory that were read from a disk in the turn
};

class TurnAudit {
 public:
  static Result<std::unique_ptr<TurnAudit>> create();

  void begin();
  // Of the turn since begin(). `turn_ns` is its duration by the clock.
  AuditedTurn end(std::uint64_t turn_ns) const;

 private:
  TurnAudit() = default;
  std::uint64_t run_queue_delay_ns() const;

  UniqueFd schedstat_;
  // The thread's counts when the turn began.
  std::uint64_t delay_ns_ = 0;
  long sleeps_ = 0;
  long disk_pages_ = 0;
};

}  // namespace sluice
