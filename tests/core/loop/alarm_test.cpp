// Alarms ring once, at the time that was set last, and may be destroyed by what they ring for.
#include "loop/alarm.h"

#include <catch2/catch.hpp>
#include <memory>

using namespace sluice;

namespace {

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  int rung = 0;

  void turns() {
    for (int i = 0; i < 3; ++i) loop->turn(0);
  }
};

constexpr std::uint64_t kFarMs = 1'000'000;

}  // namespace

TEST_CASE_METHOD(Fixture, "an alarm rings once at its time, and soon", "[alarm]") {
  Alarm alarm(*loop, [this] { ++rung; });
  turns();
  CHECK(rung == 0);
  alarm.at(loop->now_ms() + kFarMs);
  turns();
  CHECK(rung == 0);
  alarm.at(loop->now_ms());  // in place of the other time
  turns();
  CHECK(rung == 1);
  CHECK(loop->timers().next_due_ms() == Timers::kNone);
  alarm.soon();
  alarm.soon();
  turns();
  CHECK(rung == 2);
  // A time that is set stays set.
  alarm.at(loop->now_ms() + kFarMs);
  alarm.soon();
  turns();
  CHECK(rung == 3);
  CHECK(loop->timers().next_due_ms() != Timers::kNone);
  alarm.at(Alarm::kNever);
  CHECK(loop->timers().next_due_ms() == Timers::kNone);
}

TEST_CASE_METHOD(Fixture, "an alarm that is off or destroyed does not ring", "[alarm]") {
  auto alarm = std::make_unique<Alarm>(*loop, [this] { ++rung; });
  alarm->at(0);
  alarm->soon();
  SECTION("off") {
    alarm->off();
  }
  SECTION("destroyed") {
    alarm.reset();
  }
  turns();
  CHECK(rung == 0);
}

TEST_CASE_METHOD(Fixture, "what an alarm rings for may destroy it, or set it again", "[alarm]") {
  std::unique_ptr<Alarm> alarm;
  // Larger than what a function keeps in place.
  const auto ring = [this, &alarm, a = kFarMs, b = kFarMs] {
    if (++rung == 1) return alarm->at(0);
    alarm.reset();
    rung += static_cast<int>(a - b);
  };
  alarm = std::make_unique<Alarm>(*loop, ring);
  SECTION("at a time") {
    alarm->at(0);
  }
  SECTION("soon") {
    alarm->soon();
  }
  turns();
  CHECK(rung == 2);
  CHECK(alarm == nullptr);
}
