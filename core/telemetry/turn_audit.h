// Looks closer at the turns of a loop: how long one took apart from waiting for a processor, and how often it
// slept, which it never should. Costs four system calls a turn, so it is there only when it is asked for.
//
// The thread that made it, at the beginning and the end of each turn.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

struct AuditedTurn {
  std::uint64_t net_ns = 0;  // apart from waiting for a processor
  std::uint64_t sleeps = 0;
  std::uint64_t disk_pages = 0;  // of memory that were read from a disk for it
};

class TurnAudit {
 public:
  static Result<std::unique_ptr<TurnAudit>> create();

  void begin();
  // Of the turn since begin(), which took this long by the clock.
  AuditedTurn end(std::uint64_t turn_ns) const;

 private:
  TurnAudit() = default;
  std::uint64_t run_queue_delay_ns() const;

  UniqueFd schedstat_;
  std::uint64_t delay_ns_ = 0;  // of the thread when the turn began
  long sleeps_ = 0;             // the same
  long disk_pages_ = 0;         // the same
};

}  // namespace sluice
