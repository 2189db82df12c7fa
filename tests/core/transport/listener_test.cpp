// Addresses: taken, shared among workers, given back; and accepting from them.
#include "transport/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "process/worker_group.h"
#include "support/scarcity.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::FewDescriptors;
using sluice::test::refuse_system_call;

namespace {

ListenAddress address(const std::string& text) {
  return std::move(*parse_listen(text));
}

bool connects(const ListenAddress& to) {
  const UniqueFd socket(::socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length) == 0;
}

struct Accepted final : Listener::Acceptor {
  std::vector<UniqueFd> sockets;
  bool open = true;
  void on_accept(UniqueFd socket) override { sockets.push_back(std::move(socket)); }
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
  // Connects so many clients, each with its descriptor taken before they become few.
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

TEST_CASE("an address in use is told, though sockets of one server share theirs", "[listener]") {
  const auto first = ListenGroup::open(address("127.0.0.1:0"), 3);
  REQUIRE(first);
  const std::string taken = (*first)->url().substr(7);
  const auto second = ListenGroup::open(address(taken), 2);
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "cannot listen on " + taken +
                                      ": the address is in use; stop the other server, or choose another with "
                                      "--listen");
}

TEST_CASE("each worker has a socket, and fewer workers serve those of more", "[listener]") {
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 4));
  std::set<int> all;
  for (unsigned worker = 0; worker < 4; ++worker) {
    REQUIRE(group->sockets_of(worker, 4).size() == 1);
    all.insert(group->sockets_of(worker, 4).front());
  }
  CHECK(all.size() == 4);
  CHECK(group->sockets_of(0, 1).size() == 4);
  CHECK(group->sockets_of(0, 3).size() == 2);
  CHECK(group->sockets_of(1, 3).size() == 1);
  REQUIRE(group->provide(6));
  CHECK(group->sockets_of(5, 6).size() == 1);
}

TEST_CASE("sockets for more workers take no connection until they are put to use", "[listener]") {
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 1));
  const ListenAddress to = address(group->url().substr(7));
  constexpr int kConnections = 40;  // one by one, each could come to any socket that listens
  const auto accepted_of = [](int socket) {
    int accepted = 0;
    while (UniqueFd(::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC))) ++accepted;
    return accepted;
  };
  const auto connect_all = [&] {
    for (int i = 0; i < kConnections; ++i) {
      const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length) == 0);
      REQUIRE(::send(socket.get(), "x", 1, MSG_NOSIGNAL) == 1);  // see TCP_DEFER_ACCEPT
    }
  };
  const int first = group->sockets_of(0, 1).front();
  REQUIRE(group->provide(3));
  CHECK(group->sockets_of(0, 1) == std::vector<int>{first});
  connect_all();
  CHECK(accepted_of(first) == kConnections);
  group->drop_unused();
  connect_all();
  CHECK(accepted_of(first) == kConnections);
  REQUIRE(group->provide(3));
  REQUIRE(group->listen());
  group->drop_unused();
  CHECK(group->sockets_of(0, 1).size() == 3);
  connect_all();
  int all = 0;
  for (const int socket : group->sockets_of(0, 1)) all += accepted_of(socket);
  CHECK(all == kConnections);
  CHECK(connects(to));
  CHECK(group->sockets_of(2, 3).size() == 1);
}

TEST_CASE("a socket file of a dead server is replaced, one in use or of another kind is not", "[listener]") {
  const test::TempFolder folder;
  const std::string path = folder / "socket";
  const ListenAddress unix_address = address("unix:" + path);
  {
    const auto group = ListenGroup::open(unix_address, 2);
    REQUIRE(group);
    CHECK((*group)->sockets_of(0, 2) == (*group)->sockets_of(1, 2));
    CHECK(connects(unix_address));
    CHECK_FALSE(ListenGroup::open(unix_address, 1));
  }
  CHECK_FALSE(connects(unix_address));
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&unix_address.address), unix_address.length) ==
            0);
  }
  CHECK(ListenGroup::open(unix_address, 1));
  std::ofstream(path) << "precious";
  const auto refused = ListenGroup::open(unix_address, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("no socket") != std::string::npos);
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) == 0);
}

TEST_CASE("all addresses that a name has are listened on, at one port", "[listener]") {
  ListenAddress named = address("127.0.0.1:0");
  const ListenAddress second = address("127.0.0.2:0");
  named.text = "name:0";
  named.others.push_back({second.address, second.length});
  named.others.push_back({address("192.0.2.1:0").address, second.length});  // of no machine
  Settings settings;
  settings.root = "/";
  settings.workers = 2;
  settings.listen = {named};
  settings.user = ::geteuid() == 0 ? "root" : "";
  const PlanPtr plan = std::move(*make_plan(settings));
  WorkerGroup group(plan, {});
  REQUIRE(group.open_listeners(nullptr));
  const auto groups = group.listeners(0);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0]->port() == groups[1]->port());
  for (const char* host : {"127.0.0.1:", "127.0.0.2:"})
    CHECK(connects(address(host + std::to_string(groups[0]->port()))));
  // A reload keeps both.
  WorkerGroup next(plan, {});
  REQUIRE(next.open_listeners(&group));
  CHECK(next.listeners(0) == groups);
}

TEST_CASE("a socket file that another has put in the place of the own one stays", "[listener]") {
  const test::TempFolder folder;
  const std::string path = folder / "socket";
  auto group = std::move(*ListenGroup::open(address("unix:" + path), 1));
  REQUIRE(::rename(path.c_str(), (path + ".away").c_str()) == 0);
  std::ofstream(path) << "precious";
  group.reset();
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) == 0);
}

TEST_CASE("a Unix socket that is too busy to be connected to is in use, and holds up nobody", "[listener]") {
  const test::TempFolder folder;
  const ListenAddress to = address("unix:" + (folder / "socket"));
  const auto* generic = reinterpret_cast<const sockaddr*>(&to.address);
  const UniqueFd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(busy.get(), generic, to.length) == 0);
  REQUIRE(::listen(busy.get(), 0) == 0);
  std::vector<UniqueFd> waiting;
  do waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  while (::connect(waiting.back().get(), generic, to.length) == 0);
  REQUIRE(errno == EAGAIN);
  const auto refused = ListenGroup::open(to, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("the address is in use") != std::string::npos);
}

TEST_CASE("a listener accepts what comes, pauses when it may not, and ends with what waits", "[listener]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 1));
  const ListenAddress to = address(group->url().substr(7));
  Accepted accepted;
  Listener listener(*loop, accepted, UniqueFd(::dup(group->sockets_of(0, 1).front())));
  REQUIRE(listener.start());
  CHECK(connects(to));
  CHECK(connects(to));
  loop->turn(1000);
  CHECK(accepted.sockets.size() == 2);
  accepted.open = false;
  CHECK(connects(to));
  loop->turn(1000);
  CHECK(accepted.sockets.size() == 2);
  accepted.open = true;
  for (int i = 0; i < 100 && accepted.sockets.size() < 3; ++i) loop->turn(100);
  CHECK(accepted.sockets.size() == 3);
  CHECK(connects(to));
  group.reset();  // the supervisor's descriptors
  listener.finish();
  loop->turn(0);
  CHECK(accepted.sockets.size() == 4);
  CHECK(listener.finished());
  CHECK_FALSE(connects(to));
}

TEST_CASE("a listener that ends accepts so many of those that wait in one turn", "[listener]") {
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

TEST_CASE("an address is tried without being taken", "[listener]") {
  CHECK(try_address(address("127.0.0.1:0")) == std::string());
  const auto group = ListenGroup::open(address("127.0.0.1:0"), 1);
  REQUIRE(group);
  const ListenAddress own = address((*group)->url().substr(7));
  CHECK(try_address(own)->find("a reload of that one takes it over") != std::string::npos);
  // Who shares with nobody keeps everybody out.
  const UniqueFd stranger(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ListenAddress taken = address("127.0.0.1:0");
  auto* generic = reinterpret_cast<sockaddr*>(&taken.address);
  REQUIRE(::bind(stranger.get(), generic, taken.length) == 0);
  REQUIRE(::listen(stranger.get(), 1) == 0);
  REQUIRE(::getsockname(stranger.get(), generic, &taken.length) == 0);
  const auto refused = try_address(taken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("the address is in use; stop the other server") != std::string::npos);
}

TEST_CASE("the path of a Unix socket is tried without being made", "[listener]") {
  const test::TempFolder folder;
  const ListenAddress to = address("unix:" + (folder / "socket"));
  CHECK(try_address(to) == std::string());
  struct stat status {};
  CHECK(::stat((folder / "socket").c_str(), &status) != 0);
  {
    const auto group = ListenGroup::open(to, 1);
    CHECK(try_address(to)->find("a reload of that one takes it over") != std::string::npos);
  }
  folder.write("socket", "precious");
  CHECK(try_address(to).error().message.find("no socket") != std::string::npos);
  const auto nowhere = try_address(address("unix:" + (folder / "none/socket")));
  CHECK(nowhere.error().message.find("the folder " + (folder / "none/") + " cannot be used") !=
        std::string::npos);
}

TEST_CASE_METHOD(ListenerFixture, "an idle connection gives way to one that waits, and not without need",
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
  SECTION("as many are open as may be") {
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

TEST_CASE_METHOD(ListenerFixture, "what waits for a descriptor is told once, however often it is tried",
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

TEST_CASE_METHOD(ListenerFixture, "a listener that ends does not reset what waits for a descriptor",
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

TEST_CASE_METHOD(ListenerFixture, "a listener that ends waits for nobody when descriptors are used up",
                 "[listener]") {
  const FewDescriptors few;
  listener.finish();
  loop->turn(0);
  CHECK(listener.finished());
  CHECK(accepted.whys.empty());
}

TEST_CASE("a socket option that the system refuses is named", "[listener]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    refuse_system_call(SYS_setsockopt, EACCES);
    const auto group = ListenGroup::open(address("127.0.0.1:0"), 2);
    const bool told = !group && group.error().message.find("socket option SO_") != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
