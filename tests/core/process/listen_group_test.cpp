// Addresses: taken, shared among workers, given back, tried.
#include "process/listen_group.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "support/addresses.h"
#include "support/scarcity.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::address;
using sluice::test::connects;
using sluice::test::refuse_system_call;

TEST_CASE("an address in use is reported, though one server's sockets share theirs", "[listen_group]") {
  const auto first = ListenGroup::open(address("127.0.0.1:0"), 3);
  REQUIRE(first);
  const std::string taken = (*first)->url(false).substr(7);
  const auto second = ListenGroup::open(address(taken), 2);
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "cannot listen on " + taken +
                                      ": the address is in use; stop the other server, or choose another with "
                                      "--listen");
}

TEST_CASE("each worker has a socket, and fewer workers serve those of more", "[listen_group]") {
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

TEST_CASE("sockets for more workers take no connection until they are put to use", "[listen_group]") {
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 1));
  const ListenAddress to = address(group->url(false).substr(7));
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

TEST_CASE("a socket file of a dead server is replaced, one in use or of another kind is not",
          "[listen_group]") {
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
  CHECK(refused.error().message.find("is not a socket") != std::string::npos);
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) == 0);
}

TEST_CASE("a socket file that another server put in the own one's place stays", "[listen_group]") {
  const test::TempFolder folder;
  const std::string path = folder / "socket";
  auto group = std::move(*ListenGroup::open(address("unix:" + path), 1));
  REQUIRE(::rename(path.c_str(), (path + ".away").c_str()) == 0);
  std::ofstream(path) << "precious";
  group.reset();
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) == 0);
}

TEST_CASE("a Unix socket that is too busy to accept counts as in use, without waiting", "[listen_group]") {
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

TEST_CASE("an address is tried without being taken", "[listen_group]") {
  CHECK(try_address(address("127.0.0.1:0")) == std::string());
  const auto group = ListenGroup::open(address("127.0.0.1:0"), 1);
  REQUIRE(group);
  const ListenAddress own = address((*group)->url(false).substr(7));
  CHECK(try_address(own)->find("a reload of that one takes it over") != std::string::npos);
  // A socket without SO_REUSEPORT keeps all others out.
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

TEST_CASE("the path of a Unix socket is tried without being made", "[listen_group]") {
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
  CHECK(try_address(to).error().message.find("is not a socket") != std::string::npos);
  const auto nowhere = try_address(address("unix:" + (folder / "none/socket")));
  CHECK(nowhere.error().message.find("the folder " + (folder / "none/") + " cannot be used") !=
        std::string::npos);
}

TEST_CASE("a socket option that the system refuses is named", "[listen_group]") {
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

TEST_CASE("a socket that was shut down listens again, at its port", "[listen_group]") {
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 2));
  const std::string port = group->url(false).substr(7);
  for (unsigned worker = 0; worker < 2; ++worker)
    REQUIRE(::shutdown(group->sockets_of(worker, 2).front(), SHUT_RDWR) == 0);
  REQUIRE_FALSE(connects(address(port)));
  group->listen_again();
  for (unsigned worker = 0; worker < 2; ++worker) {
    int listens = 0;
    socklen_t size = sizeof(listens);
    const int socket = group->sockets_of(worker, 2).front();
    REQUIRE(::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0);
    CHECK(listens == 1);
    sockaddr_in now{};
    size = sizeof(now);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&now), &size) == 0);
    CHECK(ntohs(now.sin_port) == group->port());
  }
  CHECK(connects(address(port)));
}

TEST_CASE("a Unix socket that was shut down has a successor at its path", "[listen_group]") {
  const sluice::test::TempFolder folder;
  const ListenAddress at = address("unix:" + (folder / "socket"));
  auto group = std::move(*ListenGroup::open(at, 2));
  REQUIRE(connects(at));
  REQUIRE(::shutdown(group->sockets_of(0, 2).front(), SHUT_RDWR) == 0);
  REQUIRE_FALSE(connects(at));
  group->listen_again();
  CHECK(group->sockets_of(1, 2).size() == 1);
  CHECK(connects(at));
  group.reset();
  CHECK_FALSE(std::filesystem::exists(folder / "socket"));
}

TEST_CASE("a socket whose port somebody else has taken does not listen elsewhere", "[listen_group]") {
  auto group = std::move(*ListenGroup::open(address("127.0.0.1:0"), 1));
  const int socket = group->sockets_of(0, 1).front();
  REQUIRE(::shutdown(socket, SHUT_RDWR) == 0);
  // Without SO_REUSEPORT, so that nobody shares it.
  const UniqueFd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in taken{};
  taken.sin_family = AF_INET;
  taken.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  taken.sin_port = htons(group->port());
  REQUIRE(::bind(other.get(), reinterpret_cast<sockaddr*>(&taken), sizeof(taken)) == 0);
  REQUIRE(::listen(other.get(), 1) == 0);
  group->listen_again();
  int listens = 1;
  socklen_t size = sizeof(listens);
  REQUIRE(::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0);
  CHECK(listens == 0);
}
