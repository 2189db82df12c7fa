// Logs that a worker has no room for another connection: at once, then at most once a minute with the counts
// since the last line. Loop thread.
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

  // The reason when as many connections are open as the settings allow; other reasons are an errno of
  // accept(2).
  static constexpr int kAllOpen = 0;
  // `gave_way`: an idle connection was closed in favour of a new one. Otherwise none was idle, and new ones
  // wait.
  void note(int why, bool gave_way);

 private:
  void fired() override;
  void say();

  EventLoop& loop_;
  TimerId next_line_{};
  int why_ = kAllOpen;
  std::uint64_t gave_way_ = 0;  // since the last line
  std::uint64_t waits_ = 0;     // since the last line
};

}  // namespace sluice
