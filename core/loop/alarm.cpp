#include "loop/alarm.h"

#include <utility>

namespace sluice {

void Alarm::at(std::uint64_t due_ms) {
  loop_.timers().cancel(std::exchange(timer_, {}));
  if (due_ms != kNever) timer_ = loop_.timers().start(due_ms, *this);
}

void Alarm::soon() {
  soon_ = true;
  loop_.make_ready(*this);
}

void Alarm::off() {
  soon_ = false;
  at(kNever);
}

void Alarm::fired() {
  timer_ = {};
  ring();
}

void Alarm::on_ready() {
  if (std::exchange(soon_, false)) ring();
}

// Calls a copy, because the call may destroy this alarm.
void Alarm::ring() const {
  const Ring call = ring_;
  call();
}

}  // namespace sluice
