// What a worker says when it has no room for another connection: one line at first, then one a minute with how
// often it has happened since. Loop thread.
#pragma once

#include <cstdint>

#include "loop/event_loop.h"

namespace sluice {

class Shortage final : private Timer {
 public:
  explicit Shortage(EventLoop& loop) : loop_(loop) {}
  ~Shortage() { loop_.timers().cancel(next_line_); }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

  // Why there is none: an errno of accept(2), or this when as many connections are open as may be.
  static constexpr int kAllOpen = 0;
  // An idle connection was closed in favour of a new one, or, where none was idle, new ones wait.
  void note(int why, bool gave_way);

 private:
  void fired() override;
  void say();

  EventLoop& loop_;
  TimerId next_line_{};
  int why_ = kAllOpen;
  std::uint64_t gave_way_ = 0;  // since the last line
  std::uint64_t waits_ = 0;     // the same
};

}  // namespace sluice
