// Both ends of the control socket in one thread: lines of every kind, clients that leave, and the socket's
// file.
#include "control/control_server.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "control/control_socket.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

constexpr int kWaitMs = 10'000;

// The descriptor of the only loop.
int epoll_descriptor() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    if (std::filesystem::read_symlink(entry.path(), error) == "anon_inode:[eventpoll]")
      return std::stoi(entry.path().filename().string());
  }
  return -1;
}

struct Rig {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  int epoll = epoll_descriptor();
  TempFolder folder;
  std::string path = folder / "1.sock";
  std::vector<ControlTicket> waiting;
  std::unique_ptr<ControlServer> server;

  explicit Rig(ControlTimes times = {}) {
    const std::vector<ControlCommand> commands{
        {"say", [](ControlTicket, const std::string& argument) { return "said " + argument + "\n"; }},
        {"refuse", [](ControlTicket, const std::string&) { return fail("no,\nnever"); }},
        {"long", [](ControlTicket, const std::string&) { return std::string(4'000'000, 'x'); }},
        {"later",
         [this](ControlTicket ticket, const std::string&) -> std::optional<ControlAnswer> {
           waiting.push_back(ticket);
           return std::nullopt;
         }},
    };
    auto opened = ControlServer::open(*loop, path, commands, times);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    server = std::move(*opened);
  }

  // Serves as long as there is something to do.
  void turn() const {
    for (int i = 0; i < 100 && is_wanted(); ++i) loop->turn(0);
  }
  // Whether the loop would get an event now.
  bool is_wanted() const {
    pollfd wanted{epoll, POLLIN, 0};
    return ::poll(&wanted, 1, 0) > 0;
  }
  UniqueFd connect() const {
    auto socket = connect_control(path);
    REQUIRE(socket);
    return std::move(*socket);
  }
  void send(const UniqueFd& client, const std::string& bytes) const {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    turn();
  }
  // Reads until the server closes.
  std::string read_all(const UniqueFd& client) const {
    std::string all;
    char buffer[65536];
    for (;;) {
      turn();
      pollfd wanted{client.get(), POLLIN, 0};
      if (::poll(&wanted, 1, kWaitMs) <= 0) return all + " (and stays open)";
      const ssize_t got = ::recv(client.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  // Serves until the client gets something, or the server closes it.
  bool hears(const UniqueFd& client) const {
    for (int i = 0; i < 1000; ++i) {
      pollfd wanted{client.get(), POLLIN, 0};
      if (::poll(&wanted, 1, 0) > 0) return true;
      loop->turn(kWaitMs / 1000);
    }
    return false;
  }
  std::string ask(const std::string& bytes) const {
    const UniqueFd client = connect();
    send(client, bytes);
    return read_all(client);
  }
};

bool is_open(const UniqueFd& client) {
  char byte = 0;
  return ::recv(client.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace

TEST_CASE("a command gets its argument, and its text is the answer", "[control]") {
  const Rig rig;
  CHECK(rig.ask("say\n") == "ok\nsaid \n");
  CHECK(rig.ask("say hello there\n") == "ok\nsaid hello there\n");
  CHECK(rig.ask("say one\nsay two\n") == "ok\nsaid one\n");
}

TEST_CASE("a refusal is one line", "[control]") {
  const Rig rig;
  CHECK(rig.ask("refuse\n") == "error no, never\n");
  CHECK(rig.ask("saying\n") ==
        "error the running server has no command 'saying': it knows say, refuse, long, later\n");
}

TEST_CASE("a line may come in pieces, and has a limit", "[control]") {
  const Rig rig;
  const UniqueFd client = rig.connect();
  rig.send(client, "sa");
  CHECK(is_open(client));
  rig.send(client, "y x");
  CHECK(is_open(client));
  rig.send(client, "\n");
  CHECK(rig.read_all(client) == "ok\nsaid x\n");
  CHECK(rig.ask(std::string(ControlServer::kLineMax, 'y'))
            .starts_with("error the running server has no command"));
}

TEST_CASE("an answer that the client takes slowly is sent whole", "[control]") {
  const Rig rig;
  CHECK(rig.ask("long\n").size() == 4'000'003);
}

TEST_CASE("an answer can come later, and others are served meanwhile", "[control]") {
  Rig rig;
  const UniqueFd client = rig.connect();
  rig.send(client, "later\n");
  REQUIRE(rig.waiting.size() == 1);
  CHECK(is_open(client));
  CHECK(rig.ask("say x\n") == "ok\nsaid x\n");
  rig.server->answer(rig.waiting[0], std::string("done\n"));
  CHECK(rig.read_all(client) == "ok\ndone\n");
}

TEST_CASE("an answer to a client that is gone reaches no other client", "[control]") {
  Rig rig;
  rig.send(rig.connect(), "later\n");
  rig.turn();
  REQUIRE(rig.waiting.size() == 1);
  const UniqueFd other = rig.connect();
  rig.send(other, "later\n");
  rig.server->answer(rig.waiting[0], std::string("not for you\n"));
  rig.turn();
  CHECK(is_open(other));
  rig.server->answer(rig.waiting[1], std::string("yours\n"));
  CHECK(rig.read_all(other) == "ok\nyours\n");
}

TEST_CASE("clients are bounded, and there is room again when some have gone", "[control]") {
  const Rig rig;
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < ControlServer::kClientsMax; ++i) {
    clients.push_back(rig.connect());
    rig.turn();
  }
  const UniqueFd refused = rig.connect();
  CHECK(rig.read_all(refused).empty());
  CHECK(is_open(clients.front()));
  clients.clear();
  rig.turn();
  CHECK(rig.ask("say x\n") == "ok\nsaid x\n");
}

TEST_CASE("a client that says nothing, or whose command never ends, is disconnected", "[control]") {
  Rig rig(ControlTimes{300, 300, 10});
  const UniqueFd client = rig.connect();
  SECTION("silent") {}
  SECTION("waiting") {
    rig.send(client, "later\n");
  }
  REQUIRE(rig.hears(client));
  CHECK(rig.read_all(client).empty());
  CHECK(rig.ask("say x\n") == "ok\nsaid x\n");
}

TEST_CASE("a client waits when there is no descriptor for it, and the server does not spin", "[control]") {
  const Rig rig(ControlTimes{10'000, 10'000, 10});
  const UniqueFd client = rig.connect();
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const UniqueFd lowest(::dup(client.get()));
  const rlimit none_left{static_cast<rlim_t>(lowest.get()) + 1, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none_left) == 0);
  rig.loop->turn(0);
  const bool spins = rig.is_wanted();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK_FALSE(spins);
  REQUIRE(::send(client.get(), "say x\n", 6, MSG_NOSIGNAL) == 6);
  REQUIRE(rig.hears(client));
  CHECK(rig.read_all(client) == "ok\nsaid x\n");
}

TEST_CASE("the socket belongs to its user alone, and is removed with the server", "[control]") {
  Rig rig;
  CHECK(std::filesystem::status(rig.path).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK_FALSE(std::filesystem::exists(rig.path + "~"));
  SECTION("at its end") {
    rig.server.reset();
    CHECK_FALSE(std::filesystem::exists(rig.path));
  }
  SECTION("before its end") {
    const UniqueFd client = rig.connect();
    rig.send(client, "later\n");
    rig.server->end_listening();
    CHECK_FALSE(std::filesystem::exists(rig.path));
    const auto next = ControlServer::open(*rig.loop, rig.path, {});
    REQUIRE(next);
    rig.server->answer(rig.waiting.at(0), std::string("done\n"));
    CHECK(rig.read_all(client) == "ok\ndone\n");
    rig.server.reset();
    CHECK(std::filesystem::exists(rig.path));
  }
  SECTION("but not in a child that gives it up") {
    rig.server->close_for_child();
    rig.server.reset();
    CHECK(std::filesystem::exists(rig.path));
  }
}

TEST_CASE("a path can be used again when no server runs there any more", "[control]") {
  Rig rig;
  const auto second = ControlServer::open(*rig.loop, rig.path, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().message ==
        rig.path +
            " is the socket of a running server or of another program: name another path with --control");
  rig.server->close_for_child();  // as if the server had been killed
  CHECK(ControlServer::open(*rig.loop, rig.path, {}));
  rig.folder.write("file", "precious");
  const auto file = ControlServer::open(*rig.loop, rig.folder / "file", {});
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("is not a socket") != std::string::npos);
}

TEST_CASE("a server too busy to be connected to keeps its path", "[control]") {
  const Rig rig;
  std::vector<UniqueFd> queue;
  auto waiting = connect_control(rig.path);
  for (int i = 0; waiting && i < 100; ++i) {
    queue.push_back(std::move(*waiting));
    waiting = connect_control(rig.path);
  }
  REQUIRE_FALSE(waiting);
  CHECK_FALSE(ControlServer::open(*rig.loop, rig.path, {}));
}

TEST_CASE("files that are not the server's stay where they are", "[control]") {
  Rig rig;
  SECTION("a file where the socket would be made") {
    rig.folder.write("2.sock~", "precious");
    const auto opened = ControlServer::open(*rig.loop, rig.folder / "2.sock", {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find("2.sock~ is in the way") != std::string::npos);
    CHECK(std::filesystem::is_regular_file(rig.folder / "2.sock~"));
  }
  SECTION("another socket in its place") {
    REQUIRE(std::filesystem::remove(rig.path));
    const auto other = ControlServer::open(*rig.loop, rig.path, {});
    REQUIRE(other);
    rig.server.reset();
    CHECK(std::filesystem::exists(rig.path));
  }
}
