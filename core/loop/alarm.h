// Calls a function at a set time, or soon: in the coming ready phase. For owners of a few deadlines, each of
// which may move or end at any time. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>

#include "loop/event_loop.h"

namespace sluice {

class Alarm final : private Timer, private Ready {
 public:
  using Ring = std::function<void()>;

  // `loop` lives longer. `ring` may set this alarm anew, and destroy it.
  Alarm(EventLoop& loop, Ring ring) : loop_(loop), ring_(std::move(ring)) {}
  ~Alarm() override { loop_.timers().cancel(timer_); }

  // Rings once at this time (CLOCK_MONOTONIC), which replaces a time that was set before. A past time rings in
  // the coming timers phase, and kNever does not ring.
  static constexpr std::uint64_t kNever = Timers::kNone;
  void at(std::uint64_t due_ms);
  // Rings once in the coming ready phase, and also at the time that is set.
  void soon();
  // Does not ring any more.
  void off();

 private:
  void fired() override;
  void on_ready() override;
  void ring() const;

  EventLoop& loop_;
  Ring ring_;
  TimerId timer_{};
  bool soon_ = false;
};

}  // namespace sluice
