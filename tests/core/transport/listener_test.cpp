#include "transport/listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "process/listen_group.h"
#include "support/addresses.h"
#include "support/scarcity.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::address;
using sluice::test::connects;
using sluice::test::FewDescriptors;

namespace {

struct Accepted final : Listener::Acceptor {
  std::vector<UniqueFd> sockets;
  bool open = true;
  void on_accept(AcceptedSocket socket, std::uint32_t) override { sockets.push_back(std::move(socket.socket)); }
  bool can_accept() const override { return open; }
  bool make_room(int why, bool again) override {
    whys.push_back(why);
    repeated += again ? 1 : 0;
    if (sockets.size() <= kept_at_least) return false;
    sockets.erase(sockets.begin());
    return true;
  }
  std::vector<int> whys;
  int repeated = 0;
  std::size_t kept_at_least = ~std::size_t{0};
};

struct ListenerFixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  const test::TempFolder folder;
  std::unique_ptr<ListenGroup> group = std::move(*ListenGroup::open(address("unix:" + (folder / "socket")), 1));
  ListenAddress to = address(group->text());
  Accepted accepted;
  Listener listener{*loop, accepted, UniqueFd(::dup(group->sockets_of(0, 1).front()))};
  std::vector<UniqueFd> clients;

  ListenerFixture() { REQUIRE(listener.start()); }
  // Makes clients whose descriptors are taken before descriptors become few.
  void make_clients(int count) {
    for (int i = 0; i < count; ++i) clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  void connect(std::size_t client) {
    REQUIRE(::connect(clients[client].get(), reinterpret_cast<const sockaddr*>(&to.address), to.length) == 0);
  }
  template <typename Done>
  bool turn_until(Done done) {
    for (int i = 0; i < 300 && !done(); ++i) loop->turn(20);
    return done();
  }
};

}  // namespace

TEST_CASE("a listener accepts, pauses when told to, and at its end accepts those that wait", "[listener]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 1));
  const ListenAddress to = address(group->url(false).substr(7));
  Accepted accepted;
  Listener listener(*loop, accepted, UniqueFd(::dup(group->sockets_of(0, 1).front())));
  REQUIRE(listener.start());
  // A client may be connected before the kernel tells the listener.
  const auto turn_until_accepted = [&](std::size_t count) {
    for (int i = 0; i < 100 && accepted.sockets.size() < count; ++i) loop->turn(100);
    return accepted.sockets.size();
  };
  CHECK(connects(to));
  CHECK(connects(to));
  CHECK(turn_until_accepted(2) == 2);
  accepted.open = false;
  CHECK(connects(to));
  loop->turn(1000);
  CHECK(accepted.sockets.size() == 2);
  accepted.open = true;
  CHECK(turn_until_accepted(3) == 3);
  CHECK(connects(to));
  pollfd waiting{group->sockets_of(0, 1).front(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 10'000) == 1);
  group.reset();  // the supervisor's descriptors
  listener.finish();
  loop->turn(0);
  CHECK(accepted.sockets.size() == 4);
  CHECK(listener.finished());
  CHECK_FALSE(connects(to));
}

TEST_CASE("a listener that ends accepts a limited number in one turn", "[listener]") {
  constexpr std::size_t kMax = Listener::kAcceptsMax;
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const test::TempFolder folder;
  const ListenAddress to = address("unix:" + (folder / "socket"));
  auto group = std::move(*ListenGroup::open(to, 1));
  Accepted accepted;
  Listener listener(*loop, accepted, UniqueFd(::dup(group->sockets_of(0, 1).front())));
  REQUIRE(listener.start());
  for (std::size_t i = 0; i < kMax + 1; ++i) REQUIRE(connects(to));
  listener.finish();
  loop->turn(0);
  CHECK(accepted.sockets.size() == kMax);
  CHECK_FALSE(listener.finished());
  loop->turn(0);
  CHECK(accepted.sockets.size() == kMax + 1);
  CHECK(listener.finished());
}

TEST_CASE_METHOD(ListenerFixture, "an idle connection gives way to a waiting one, but only if needed",
                 "[listener]") {
  make_clients(3);
  accepted.kept_at_least = 0;
  SECTION("descriptors are used up") {
    const FewDescriptors few(1);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      connect(i);
      loop->turn(0);
      CHECK(accepted.sockets.size() == 1);
    }
    CHECK(accepted.whys == std::vector<int>{EMFILE, EMFILE});
  }
  SECTION("as many connections are open as may be") {
    connect(0);
    loop->turn(0);
    accepted.open = false;
    connect(1);
    loop->turn(0);
    CHECK(accepted.whys == std::vector<int>{Shortage::kAllOpen});
    loop->turn(0);
    CHECK(accepted.whys.size() == 1);
  }
  CHECK(accepted.repeated == 0);
}

TEST_CASE_METHOD(ListenerFixture, "waiting for a descriptor is logged once, however often it is tried",
                 "[listener]") {
  make_clients(2);
  connect(0);
  loop->turn(0);
  {
    const FewDescriptors few;
    connect(1);
    REQUIRE(turn_until([&] { return accepted.whys.size() >= 4; }));
    CHECK(accepted.repeated == static_cast<int>(accepted.whys.size()) - 1);
    CHECK(accepted.sockets.size() == 1);
  }
  CHECK(turn_until([&] { return accepted.sockets.size() == 2; }));
}

TEST_CASE_METHOD(ListenerFixture, "a listener that ends does not reset connections that wait for a descriptor",
                 "[listener]") {
  make_clients(3);
  {
    const FewDescriptors few(1);
    for (std::size_t i = 0; i < clients.size(); ++i) connect(i);
    listener.finish();
    REQUIRE(turn_until([&] { return accepted.whys.size() >= 3; }));
    CHECK(accepted.sockets.size() == 1);
    CHECK_FALSE(listener.finished());
  }
  CHECK(turn_until([&] { return listener.finished(); }));
  CHECK(accepted.sockets.size() == 3);
}

TEST_CASE_METHOD(ListenerFixture, "a listener that ends keeps the limit of open connections", "[listener]") {
  make_clients(3);
  for (std::size_t i = 0; i < clients.size(); ++i) connect(i);
  accepted.open = false;
  SECTION("none is idle: they wait until one may be open") {
    listener.finish();
    REQUIRE(turn_until([&] { return accepted.whys.size() >= 3; }));
    CHECK(accepted.sockets.empty());
    CHECK_FALSE(listener.finished());
    accepted.open = true;
    CHECK(turn_until([&] { return listener.finished(); }));
    CHECK(accepted.sockets.size() == 3);
    CHECK(accepted.whys.front() == Shortage::kAllOpen);
  }
  SECTION("one is idle: it gives way to each") {
    accepted.kept_at_least = 0;
    accepted.sockets.emplace_back();
    listener.finish();
    CHECK(turn_until([&] { return listener.finished(); }));
    CHECK(accepted.sockets.size() == 1);
    CHECK(accepted.whys == std::vector<int>(3, Shortage::kAllOpen));
  }
}

TEST_CASE_METHOD(ListenerFixture, "a listener that ends does not wait when descriptors are used up",
                 "[listener]") {
  const FewDescriptors few;
  listener.finish();
  loop->turn(0);
  CHECK(listener.finished());
  CHECK(accepted.whys.empty());
}
