// The audit finds a turn that sleeps, but not one that only computes.
#include "telemetry/turn_audit.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "loop/event_loop.h"

using namespace sluice;

namespace {

struct Calling final : Ready {
  std::function<void()> call;
  void on_ready() override { call(); }
};

// Makes the call in one turn of an audited loop.
void turn_with(WorkerStats& stats, const std::function<void()>& call) {
  auto loop = EventLoop::create(stats);
  REQUIRE(loop);
  REQUIRE((*loop)->audit());
  Calling calling;
  calling.call = call;
  (*loop)->make_ready(calling);
  (*loop)->turn(0);
}

}  // namespace

TEST_CASE("a call that sleeps is counted", "[turn_audit]") {
  const auto stats = std::make_unique<WorkerStats>();
  turn_with(*stats, [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  CHECK(stats->loop_sleeps.get() == 2);
  CHECK(stats->net_turns.count() == 1);
  CHECK(stats->net_turns.longest_ns() >= 2'000'000);
}

TEST_CASE("a call that only computes is not counted", "[turn_audit]") {
  const auto stats = std::make_unique<WorkerStats>();
  turn_with(*stats, [] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < until) {
    }
  });
  CHECK(stats->loop_sleeps.get() == 0);
  CHECK(stats->net_turns.longest_ns() <= stats->turns.longest_ns());
}

TEST_CASE("by default nothing is audited", "[turn_audit]") {
  const auto stats = std::make_unique<WorkerStats>();
  auto loop = EventLoop::create(*stats);
  REQUIRE(loop);
  (*loop)->turn(0);
  CHECK(stats->turns.count() == 1);
  CHECK(stats->net_turns.count() == 0);
}
