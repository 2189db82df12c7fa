// Calls on threads: every accepted call runs or is given back, is done once on the loop, and no owner takes
// all threads.
#include "loop/offload.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <string>
#include <thread>

#include "support/offloaded_work.h"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("work runs on a thread and is done on the loop, once", "[offload]") {
  Loop loop;
  const auto offload = std::move(*Offload::create(*loop.loop, {}));
  Seen seen;
  std::atomic<int> runs{0};
  for (int i = 0; i < 500; ++i) {
    auto item = work(seen, [&runs] { ++runs; });
    REQUIRE(offload->submit(&loop, item));
    CHECK(item == nullptr);
  }
  CHECK_FALSE(offload->idle());
  REQUIRE(loop.run_until([&] { return seen.done == 500; }));
  CHECK(runs == 500);
  CHECK(seen.unrun == 0);
  CHECK(seen.destroyed == 500);
  CHECK(seen.thread != std::this_thread::get_id());
  CHECK(offload->idle());
  CHECK(Offload::thread_index() == 0);
}

TEST_CASE("threads are nicer than the loop", "[offload]") {
  Loop loop;
  const auto offload = std::move(*Offload::create(*loop.loop, {}));
  Seen seen;
  int niceness = 0;
  auto item = work(seen, [&niceness] { niceness = getpriority(PRIO_PROCESS, 0); });
  REQUIRE(offload->submit(&loop, item));
  REQUIRE(loop.run_until([&] { return seen.done == 1; }));
  constexpr int kNicest = 19;
  const int own = getpriority(PRIO_PROCESS, 0);
  CHECK((niceness > own || own == kNicest));
}

TEST_CASE("the threads run before there is work for them", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 64;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::ptrdiff_t running = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    running += name == "sluice-offload" ? 1 : 0;
  }
  CHECK(running >= 64);  // threads of a case before may not be gone yet
}

TEST_CASE("an owner that blocks leaves half of the threads to the others", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 4;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  std::atomic<int> blocked{0};
  Seen slow;
  Seen quick;
  const int owners[2] = {};
  for (int i = 0; i < 10; ++i) {
    auto item = work(slow, [&] {
      ++blocked;
      release.wait();
    });
    REQUIRE(offload->submit(&owners[0], item));
  }
  for (int i = 0; i < 10; ++i) {
    auto item = work(quick);
    REQUIRE(offload->submit(&owners[1], item));
  }
  REQUIRE(loop.run_until([&] { return quick.done == 10 && blocked >= 2; }));
  CHECK(blocked == 2);
  CHECK(slow.done == 0);
  release.count_down();
  REQUIRE(loop.run_until([&] { return slow.done == 10; }));
}

TEST_CASE("stuck calls leave threads to other owners, and to their own", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 2;
  limits.spares = 8;
  limits.stuck_ms = 1;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  std::atomic<int> blocked{0};
  Seen slow;
  Seen quick;
  const int owners[3] = {};
  for (int i = 0; i < 40; ++i) {
    auto item = work(slow, [&] {
      ++blocked;
      release.wait();
    });
    REQUIRE(offload->submit(&owners[i % 2], item));
  }
  // Until they get no more threads: together they have half of the spare ones.
  REQUIRE(loop.run_until([&] { return blocked == 4; }));
  auto item = work(quick);
  REQUIRE(offload->submit(&owners[2], item));
  REQUIRE(loop.run_until([&] { return quick.done == 1; }));
  CHECK(quick.unrun == 0);
  CHECK(blocked <= 6);  // and two that started before the others were known to be stuck
  CHECK(slow.done == 0);
  release.count_down();
  REQUIRE(loop.run_until([&] { return slow.done == 40; }));
  CHECK(offload->idle());
  CHECK(loop.stats.offload_running.get() == 0);
}

TEST_CASE("the queue is bounded, and refused work stays the caller's", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 2;
  limits.queue_max = 8;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  Seen seen;
  int accepted = 0;
  for (int i = 0; i < 50; ++i) {
    auto item = work(seen, [&] { release.wait(); });
    if (offload->submit(&loop, item)) {
      ++accepted;
    } else {
      REQUIRE(item != nullptr);
    }
  }
  CHECK(accepted <= 5);  // half of the queue, and one on a thread
  CHECK(accepted >= 4);
  release.count_down();
  REQUIRE(loop.run_until([&] { return seen.done == accepted; }));
}

TEST_CASE("work beyond an owner's share still finds room in the reserve", "[offload]") {
  constexpr std::size_t kMax = 8;
  Loop loop;
  Offload::Limits limits;
  limits.threads = 1;
  limits.queue_max = kMax;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  Seen seen;
  int accepted = 0;
  int another = 0;
  const auto submit = [&](Offload::Room room, const void* owner) {
    auto item = work(seen, [&] { release.wait(); });
    const bool taken = offload->submit(owner, item, room);
    accepted += taken ? 1 : 0;
    return taken;
  };
  while (submit(Offload::Room::share, &loop)) REQUIRE(accepted < 50);
  CHECK(loop.stats.offload_queued.get() == kMax / 2);
  while (submit(Offload::Room::reserve, &loop)) REQUIRE(accepted < 50);
  CHECK(loop.stats.offload_queued.get() == kMax / 2 + kMax);
  // The reserve does not count against the shares of others.
  while (submit(Offload::Room::share, &another)) REQUIRE(accepted < 50);
  CHECK(loop.stats.offload_queued.get() == 2 * kMax);
  release.count_down();
  REQUIRE(loop.run_until([&] { return seen.done == accepted; }));
}

TEST_CASE("work that waits too long for a thread is given back unrun", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 1;
  limits.queued_ms_max = 50;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  Seen blocking;
  Seen waiting;
  std::latch taken(1);
  auto first = work(blocking, [&] {
    taken.count_down();
    release.wait();
  });
  REQUIRE(offload->submit(&loop, first));
  taken.wait();
  auto second = work(waiting);
  REQUIRE(offload->submit(&loop, second));
  REQUIRE(loop.run_until([&] { return waiting.done == 1; }));
  CHECK(waiting.unrun == 1);
  CHECK(blocking.done == 0);
  release.count_down();
  REQUIRE(loop.run_until([&] { return blocking.done == 1; }));
}

TEST_CASE("the work that is given back in one turn is limited", "[offload]") {
  constexpr int kMax = Offload::kExpiredMax;
  Loop loop;
  Offload::Limits limits;
  limits.threads = 1;
  limits.queued_ms_max = 1;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  Seen blocking;
  Seen waiting;
  auto first = work(blocking, [&] { release.wait(); });
  REQUIRE(offload->submit(&loop, first));
  for (int i = 0; i < 2 * kMax + 1; ++i) {
    auto item = work(waiting);
    REQUIRE(offload->submit(&loop, item));
  }
  REQUIRE(loop.run_until([&] { return waiting.done > 0; }));
  CHECK(waiting.done == kMax);
  loop.loop->turn(0);
  CHECK(waiting.done == 2 * kMax);
  loop.loop->turn(0);
  CHECK(waiting.done == 2 * kMax + 1);
  CHECK(waiting.unrun == waiting.done);
  release.count_down();
  REQUIRE(loop.run_until([&] { return blocking.done == 1; }));
}

TEST_CASE("the end of the threads gives back what is queued", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 1;
  auto offload = std::move(*Offload::create(*loop.loop, limits));
  Seen seen;
  for (int i = 0; i < 20; ++i) {
    auto item = work(seen, [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
    REQUIRE(offload->submit(&loop, item));
  }
  offload.reset();
  CHECK(seen.done == 20);
  CHECK(seen.destroyed == 20);
  CHECK(seen.unrun > 0);
}
