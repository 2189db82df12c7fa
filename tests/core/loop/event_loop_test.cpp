// The loop: its phases, its tokens, and the bounds of a turn.
#include "loop/event_loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "loop/offload.h"
#include "support/scarcity.h"

using sluice::CallLength;
using sluice::DeadlineKind;
using sluice::DeadlineNode;
using sluice::EventLoop;
using sluice::Pollable;
using sluice::Ready;
using sluice::Reapable;
using sluice::Timer;
using sluice::UniqueFd;
using sluice::WorkerStats;
using sluice::test::FewDescriptors;

namespace {

struct Watched final : Pollable {
  std::function<void()> call = [] {};
  int events = 0;
  void on_events(std::uint32_t) override {
    ++events;
    call();
  }
};
struct Queued final : Ready {
  std::function<void()> call = [] {};
  int calls = 0;
  void on_ready() override {
    ++calls;
    call();
  }
};
struct Late final : DeadlineNode {
  explicit Late(std::string& order, char name) : order(order), name(name) {}
  std::string& order;
  char name;
  void on_deadline(DeadlineKind) override { order += name; }
};
struct Fired final : Timer {
  std::function<void()> call = [] {};
  int times = 0;
  void fired() override {
    ++times;
    call();
  }
};
struct Reaped final : Reapable {
  explicit Reaped(std::function<void()> call) : call(std::move(call)) {}
  ~Reaped() override { call(); }
  std::function<void()> call;
};

UniqueFd readable() {
  return UniqueFd(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
}

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
};

}  // namespace

TEST_CASE_METHOD(Fixture, "after a standstill events come before deadlines", "[event_loop]") {
  struct Client final : Pollable, DeadlineNode {
    bool heard = false;
    bool late = false;
    void on_events(std::uint32_t) override { heard = true; }
    void on_deadline(DeadlineKind) override { late = !heard; }
  };
  constexpr std::size_t kClients = 300;  // several batches
  std::vector<UniqueFd> fds;
  std::deque<Client> clients(kClients);
  for (Client& client : clients) {
    fds.push_back(readable());
    REQUIRE(loop->add(fds.back().get(), EPOLLIN | EPOLLET, client) != EventLoop::kNoToken);
  }
  // They were due long ago. The client that the loop hears last is due first.
  for (auto client = clients.rbegin(); client != clients.rend(); ++client)
    loop->deadlines().arm(*client, DeadlineKind::head, 0);
  for (int i = 0; i < 10; ++i) loop->turn(0);
  CHECK(std::none_of(clients.begin(), clients.end(), [](const Client& client) { return client.late; }));
  CHECK(std::all_of(clients.begin(), clients.end(), [](const Client& client) { return client.heard; }));
  CHECK(std::none_of(clients.begin(), clients.end(), [](const Client& client) { return client.armed(); }));
}

TEST_CASE_METHOD(Fixture, "deadlines expire however busy the loop is", "[event_loop]") {
  std::vector<UniqueFd> fds;
  std::deque<Watched> busy(200);  // level-triggered, so that every batch is full
  for (Watched& one : busy) {
    fds.push_back(readable());
    REQUIRE(loop->add(fds.back().get(), EPOLLIN, one) != EventLoop::kNoToken);
  }
  std::string order;
  Late late(order, 'a');
  loop->deadlines().arm(late, DeadlineKind::head, 0);
  for (int i = 0; i < 20; ++i) loop->turn(0);
  CHECK(order == "a");
}

TEST_CASE_METHOD(Fixture, "an event of a forgotten fd reaches no watcher, nor its successor", "[event_loop]") {
  Watched first;
  Watched second;
  Watched successor;
  UniqueFd one = readable();
  UniqueFd two = readable();
  UniqueFd three = readable();
  const auto token_one = loop->add(one.get(), EPOLLIN, first);
  const auto token_two = loop->add(two.get(), EPOLLIN, second);
  // Both are ready in one batch. The first one called forgets the other and takes its place.
  first.call = [&] {
    loop->forget(token_two);
    two.reset();
    loop->add(three.get(), EPOLLIN, successor);
    first.call = [] {};
  };
  second.call = [&] {
    loop->forget(token_one);
    one.reset();
    loop->add(three.get(), EPOLLIN, successor);
    second.call = [] {};
  };
  loop->turn(0);
  CHECK(first.events + second.events == 1);
  CHECK(successor.events == 0);
  loop->turn(0);
  CHECK(successor.events == 1);
}

TEST_CASE_METHOD(Fixture, "a ready task is called once; made ready from within, in the next turn",
                 "[event_loop]") {
  Queued queued;
  loop->make_ready(queued);
  loop->make_ready(queued);
  queued.call = [&] { loop->make_ready(queued); };
  loop->turn(0);
  CHECK(queued.calls == 1);
  queued.call = [] {};
  loop->turn();  // does not wait
  CHECK(queued.calls == 2);
  loop->turn(0);
  CHECK(queued.calls == 2);
  {
    Queued gone;
    loop->make_ready(gone);
  }
  loop->turn(0);
}

TEST_CASE_METHOD(Fixture,
                 "who takes long leaves the rest of the phase to the next turn, and all get their turn",
                 "[event_loop]") {
  std::string order;
  Queued queued[3];
  for (int i = 0; i < 3; ++i) {
    queued[i].call = [&, i] {
      order += static_cast<char>('a' + i);
      while (!loop->slice_is_over()) {
      }
      loop->make_ready(queued[i]);
    };
    loop->make_ready(queued[i]);
  }
  Queued quick;
  loop->make_ready(quick);
  for (int turn = 0; turn < 8; ++turn) loop->turn(0);
  CHECK(order == "abcabcab");  // the quick one shares the turn that follows
  CHECK(quick.calls == 1);
  for (Queued& one : queued) one.call = [] {};
  for (int turn = 0; turn < 4; ++turn) loop->turn(0);
}

TEST_CASE_METHOD(Fixture,
                 "lengthy ones come last, unproven ones before, and each kind has its own share of a turn",
                 "[event_loop]") {
  std::string order;
  Queued lengthy[2];
  Queued brief[2];
  const auto queue = [&](Queued& one, char name, CallLength length, bool again) {
    one.call = [&, name, length, again] {
      order += name;
      while (!loop->slice_is_over()) {
      }
      if (again) loop->make_ready(one, length);
    };
    loop->make_ready(one, length);
  };
  Queued unproven;
  queue(lengthy[0], 'a', CallLength::lengthy, true);
  queue(lengthy[1], 'b', CallLength::lengthy, true);
  queue(unproven, 'n', CallLength::unproven, false);
  queue(brief[0], 'x', CallLength::brief, true);
  queue(brief[1], 'y', CallLength::brief, false);
  for (int turn = 0; turn < 4; ++turn) loop->turn(0);
  CHECK(order == "xnaybxaxb");
}

TEST_CASE_METHOD(Fixture, "reaped objects end with the turn, and may add others", "[event_loop]") {
  std::string order;
  Queued queued;
  queued.call = [&] {
    loop->reap(std::make_unique<Reaped>([&] {
      order += "a";
      loop->reap(std::make_unique<Reaped>([&] { order += "b"; }));
    }));
    order += "-";
  };
  loop->make_ready(queued);
  loop->turn(0);
  CHECK(order == "-ab");
}

TEST_CASE_METHOD(Fixture, "the deadlines that expire in one turn are limited", "[event_loop]") {
  constexpr std::size_t kMax = sluice::Deadlines::kExpiredMax;
  std::string order;
  std::deque<Late> nodes;
  auto& deadlines = loop->deadlines();
  for (const auto kind : {DeadlineKind::head, DeadlineKind::keepalive}) {
    deadlines.set_duration(kind, 0);
    for (std::size_t i = 0; i < kMax; ++i)
      deadlines.arm(nodes.emplace_back(order, kind == DeadlineKind::head ? 'h' : 'k'), kind, loop->now_ms());
  }
  loop->turn();
  CHECK(order == std::string(kMax, 'h'));
  loop->turn();  // does not wait
  CHECK(order == std::string(kMax, 'h') + std::string(kMax, 'k'));
  CHECK(deadlines.next_due_ms() == sluice::Deadlines::kNone);
}

TEST_CASE_METHOD(Fixture, "the timers that fire in one turn are limited", "[event_loop]") {
  constexpr int kMax = sluice::Timers::kFiredMax;
  Fired fired;
  for (int i = 0; i < kMax + 1; ++i) loop->timers().start(loop->now_ms(), fired);
  loop->turn();
  CHECK(fired.times == kMax);
  loop->turn();  // does not wait
  CHECK(fired.times == kMax + 1);
  CHECK(loop->timers().next_due_ms() == sluice::Timers::kNone);
}

TEST_CASE_METHOD(Fixture, "a turn waits no longer than the next timer, and is measured", "[event_loop]") {
  Fired fired;
  loop->timers().start(loop->now_ms() + 30, fired);
  const std::uint64_t before = loop->now_ms();
  for (int i = 0; i < 10 && fired.times == 0; ++i) loop->turn();
  CHECK(fired.times == 1);
  CHECK(loop->now_ms() - before >= 30);
  std::uint64_t turns = 0;
  for (unsigned i = 0; i < sluice::DurationHistogram::kBuckets; ++i) turns += stats.turns.bucket(i);
  CHECK(turns > 0);
}

// Checks nothing while descriptors are few: UBSan needs some to look at an object.
TEST_CASE("a loop or threads that cannot be made say why", "[event_loop]") {
  WorkerStats stats;
  const auto refused = [&] {
    const FewDescriptors none;
    return EventLoop::create(stats);
  }();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("epoll") != std::string::npos);
  const auto loop = std::move(*EventLoop::create(stats));
  bool audited = true;
  bool has_threads = true;
  {
    const FewDescriptors none;
    audited = loop->audit().has_value();
    has_threads = sluice::Offload::create(*loop, {}).has_value();
  }
  CHECK_FALSE(audited);
  CHECK_FALSE(has_threads);
}
