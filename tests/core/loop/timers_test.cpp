// One-shot timers. How many fire in a turn is tested with the loop.
#include "loop/timers.h"

#include <catch2/catch.hpp>
#include <functional>

using namespace sluice;

namespace {

struct Fired final : Timer {
  std::function<void()> call = [] {};
  int times = 0;
  void fired() override {
    ++times;
    call();
  }
};

}  // namespace

TEST_CASE("timers fire once, not early, and can be cancelled from within", "[timers]") {
  Timers timers;
  Fired first;
  Fired second;
  Fired again;
  const TimerId cancelled = timers.start(20, second);
  first.call = [&] {
    timers.cancel(cancelled);
    timers.start(0, again);
  };
  timers.start(10, first);
  timers.expire(9);
  CHECK(first.times == 0);
  timers.expire(30);
  CHECK(first.times == 1);
  CHECK(second.times == 0);
  CHECK(again.times == 0);  // it fires in the next call, so that this one ends
  timers.expire(30);
  CHECK(again.times == 1);
  CHECK(timers.next_due_ms() == Timers::kNone);
}

TEST_CASE("cancelling a timer that has fired, or none, cancels nothing", "[timers]") {
  Timers timers;
  Fired fired;
  const TimerId first = timers.start(1, fired);
  timers.expire(1);
  timers.start(2, fired);
  timers.cancel(first);
  timers.cancel(TimerId{});
  timers.expire(2);
  CHECK(fired.times == 2);
}
