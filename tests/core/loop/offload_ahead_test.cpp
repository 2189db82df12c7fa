// Calls that are given to a thread ahead, while it still runs others.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <latch>
#include <thread>

#include "loop/offload.h"
#include "support/offloaded_work.h"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("quick calls are given ahead, but do not wait behind slow ones", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 4;
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch release(1);
  std::atomic<int> blocked{0};
  Seen quick;
  Seen slow;
  const auto submit = [&](const void* owner, Seen& seen, std::function<void()> call) {
    auto item = work(seen, std::move(call));
    REQUIRE(offload->submit(owner, item));
  };
  const auto nothing = [] {};
  const int owners[3] = {};
  // Both threads of the owner have shown that their calls are quick.
  for (int i = 0; i < 200; ++i) submit(&owners[0], quick, nothing);
  REQUIRE(loop.run_until([&] { return quick.done == 200; }));

  SECTION("not behind their own owner's slow call, if another thread is free") {
    submit(&owners[0], slow, [&] { release.wait(); });
    for (int i = 0; i < 50; ++i) submit(&owners[0], quick, nothing);
    REQUIRE(loop.run_until([&] { return quick.done == 250; }));
    CHECK(slow.done == 0);
  }
  SECTION("nor behind other owners' slow calls") {
    for (int i = 0; i < 20; ++i) {
      submit(&owners[0], slow, [&] {
        ++blocked;
        release.wait();
      });
    }
    REQUIRE(loop.run_until([&] { return blocked == 2; }));
    submit(&owners[1], quick, nothing);
    REQUIRE(loop.run_until([&] { return quick.done == 201; }));
    CHECK(blocked == 2);
  }
  release.count_down();
  REQUIRE(loop.run_until([&] { return offload->idle(); }));
  CHECK(loop.stats.offload_running.get() == 0);
  CHECK(loop.stats.offload_queued.get() == 0);
  CHECK(quick.unrun + slow.unrun == 0);
}

TEST_CASE("a quick call is done while the call given behind it blocks", "[offload]") {
  Loop loop;
  Offload::Limits limits;
  limits.threads = 2;  // so that one owner has one
  const auto offload = std::move(*Offload::create(*loop.loop, limits));
  std::latch first(1);
  std::latch last(1);
  std::atomic<int> blocked{0};
  Seen quick;
  Seen slow;
  const int owner = 0;
  const auto submit = [&](Seen& seen, std::function<void()> call) {
    auto item = work(seen, std::move(call));
    REQUIRE(offload->submit(&owner, item));
  };
  for (int i = 0; i < 20; ++i) submit(quick, [] {});
  REQUIRE(loop.run_until([&] { return offload->idle(); }));
  // The thread gets the two behind the first one while that runs.
  submit(quick, [&] { first.wait(); });
  submit(quick, [] {});
  submit(slow, [&] {
    ++blocked;
    last.wait();
  });
  first.count_down();
  while (blocked == 0) std::this_thread::yield();
  CHECK(loop.run_until([&] { return quick.done == 22; }));
  CHECK(slow.done == 0);
  last.count_down();
  REQUIRE(loop.run_until([&] { return offload->idle(); }));
}

TEST_CASE("calls given ahead are done once when the threads end", "[offload]") {
  Loop loop;
  Seen seen;
  int owner = 0;
  int submitted = 0;
  for (int round = 0; round < 50; ++round) {
    const auto offload = std::move(*Offload::create(*loop.loop, {}));
    for (int i = 0; i < 100; ++i) {
      auto item = work(seen);
      REQUIRE(offload->submit(&owner, item));
      ++submitted;
      if (i % 16 == round % 16) loop.loop->turn(0);
    }
  }
  CHECK(seen.done == submitted);
  CHECK(seen.destroyed == submitted);
}

TEST_CASE("calls given ahead are done while others keep coming", "[offload]") {
  // Each is submitted again when it is done, like the requests of clients that ask again at once.
  struct Again final : Work {
    Again(Offload& to, std::atomic<int>& all, int& most) : offload(to), ran(all), overtaken(most) {}
    void run() override {
      by_others = ran++ - at_submit;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    void done(bool) override {
      overtaken = std::max(overtaken, by_others);
      if (ran > 3'000) return;
      std::unique_ptr<Work> next = std::make_unique<Again>(offload, ran, overtaken);
      REQUIRE(offload.submit(&offload, next));
    }
    Offload& offload;
    std::atomic<int>& ran;
    int& overtaken;
    int at_submit = ran;
    int by_others = 0;
  };
  Loop loop;
  const auto offload = std::move(*Offload::create(*loop.loop, {}));
  std::atomic<int> ran{0};
  int overtaken = 0;
  for (int i = 0; i < 20; ++i) {
    std::unique_ptr<Work> first = std::make_unique<Again>(*offload, ran, overtaken);
    REQUIRE(offload->submit(offload.get(), first));
  }
  REQUIRE(loop.run_until([&] { return offload->idle(); }, 30'000));
  CHECK(overtaken < 1'000);
}
