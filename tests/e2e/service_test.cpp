// A server that a service manager starts: what it is told, sockets that are passed, the files for systemd.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

namespace fs = std::filesystem;

// A service manager's socket for NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~Manager() { ::close(fd_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next message that is no sign of life; empty if none comes in time.
  std::string hear(int limit_ms = kWaitMs) {
    std::string text;
    eventually(
        [&] {
          char bytes[4096];
          const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), 0);
          if (got <= 0) return false;
          text.assign(bytes, static_cast<std::size_t>(got));
          if (text != "WATCHDOG=1") return true;
          ++signs_;
          text.clear();
          return false;
        },
        limit_ms);
    return text;
  }
  int signs() const { return signs_; }

 private:
  int fd_;
  int signs_ = 0;
};

// A listening socket as systemd opens it, at a free port.
class PassedSocket {
 public:
  PassedSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(at);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), length) == 0);
    REQUIRE(::listen(fd_, 128) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length);
    endpoint_.port = ntohs(at.sin_port);
  }
  ~PassedSocket() { ::close(fd_); }
  PassedSocket(const PassedSocket&) = delete;
  PassedSocket& operator=(const PassedSocket&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  // The kernel's.
  std::string number() const {
    const std::string target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd_)).string();
    return target.substr(8, target.size() - 9);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(endpoint_.port); }
  // For a new process: makes it descriptor 3.
  BeforeExec pass() const {
    return [this] {
      const int flags = ::fcntl(fd_, F_GETFD);
      if (fd_ == 3) ::fcntl(fd_, F_SETFD, flags & ~FD_CLOEXEC);
      if (fd_ != 3) ::dup2(fd_, 3);
    };
  }

 private:
  int fd_;
  Endpoint endpoint_;
};

// The command by a shell, which puts the process' own number into LISTEN_PID.
std::vector<std::string> with_listen_pid(const std::vector<std::string>& command) {
  std::vector<std::string> all{"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

// The sockets that a process has open, by the kernel's numbers.
std::multiset<std::string> sockets_of(pid_t process) {
  std::multiset<std::string> sockets;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", ignored)) {
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (target.starts_with("socket:[")) sockets.insert(target.substr(8, target.size() - 9));
  }
  return sockets;
}

// The kernel's numbers of all datagram sockets of the family AF_UNIX.
std::set<std::string> unix_datagram_sockets() {
  std::set<std::string> numbers;
  std::ifstream table("/proc/net/unix");
  std::string address, count, protocol, flags, type, state, number, line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream row(line);
    row >> address >> count >> protocol >> flags >> type >> state >> number;
    if (type == "0002") numbers.insert(number);
  }
  return numbers;
}

std::size_t datagram_sockets_of(pid_t process) {
  std::size_t count = 0;
  const std::set<std::string> all = unix_datagram_sockets();
  for (const std::string& number : sockets_of(process)) count += all.count(number);
  return count;
}

// The processes of this name that it has started.
std::vector<pid_t> children_of(pid_t process, const std::string& name) {
  std::vector<pid_t> children;
  const std::string folder = "/proc/" + std::to_string(process);
  std::ifstream list(folder + "/task/" + std::to_string(process) + "/children");
  for (pid_t child = 0; list >> child;) {
    std::string comm;
    std::ifstream("/proc/" + std::to_string(child) + "/comm") >> comm;
    if (comm == name) children.push_back(child);
  }
  return children;
}

std::string unit_file(const std::string& name) {
  return std::string(SLUICE_SOURCE) + "/cli/service/" + name;
}

}  // namespace

TEST_CASE("the service manager hears of the start, of reloads and of the end", "[e2e][service]") {
  Site site({"hello"});
  const std::string config = site.write_beside("sluice.toml", "workers = 2\n");
  Manager manager(site.path("notify"));
  ServerProcess server(site, {"--config", config}, {{"NOTIFY_SOCKET", site.path("notify")}});
  const std::string ready = manager.hear();
  CHECK(ready == "READY=1\nSTATUS=2 workers at " + server.url(""));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  // The supervisor alone speaks for the server.
  CHECK(datagram_sockets_of(server.pid()) == 1);
  for (const pid_t worker : server.workers()) CHECK(datagram_sockets_of(worker) == 0);

  site.write_beside("sluice.toml", "workers = 1\n");
  server.signal(SIGHUP);
  CHECK_THAT(manager.hear(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(manager.hear() == "READY=1\nSTATUS=1 worker at " + server.url(""));

  site.write_beside("sluice.toml", "workerz = 1\n");
  const Outcome refused = run({sluice_binary(), "reload"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK(refused.code == 1);
  CHECK_THAT(manager.hear(), StartsWith("RELOADING=1\n"));
  const std::string still = manager.hear();
  CHECK_THAT(still, StartsWith("READY=1\nSTATUS=not reloaded, and nothing changes: ") && Contains("workerz"));

  CHECK(server.stop() == 0);
  // The drain of 30 s, and what comes after it.
  CHECK_THAT(manager.hear(), StartsWith("STOPPING=1\nEXTEND_TIMEOUT_USEC=43000000\n"));
}

TEST_CASE("the service manager gets signs of life while the server serves", "[e2e][service]") {
  const Site site({"hello"});
  Manager manager(site.path("notify"));
  const Variables variables{{"NOTIFY_SOCKET", site.path("notify")}, {"WATCHDOG_USEC", "300000"}};
  ServerProcess server(site, {"--workers", "1"}, variables);
  CHECK_THAT(manager.hear(), StartsWith("READY=1\n"));
  const int signs = manager.signs();
  CHECK(eventually([&] { return manager.hear(100).empty() && manager.signs() >= signs + 3; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("a service manager that has gone does not hold the server up", "[e2e][service]") {
  const Site site({"hello"});
  const std::string name =
      GENERATE(as<std::string>(), "/nowhere/notify", "@sluice-test-gone", "vsock:2:1", "x");
  ServerProcess server(site, {"--workers", "1"}, {{"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "1000"}});
  CHECK(server.logs("the service manager is told nothing, since NOTIFY_SOCKET is '" + name + "'"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.reload());
  CHECK(server.stop() == 0);
}

TEST_CASE("a passed socket is served by all workers, and outlives the server", "[e2e][service]") {
  const Site site({"hello"});
  const PassedSocket passed;
  Manager manager(site.path("notify"));
  const Variables variables{{"NOTIFY_SOCKET", site.path("notify")},
                            {"RUNTIME_DIRECTORY", site.path("run")},
                            {"LISTEN_FDS", "1"},
                            {"LISTEN_FDNAMES", "sluice.socket"}};
  const auto command = with_listen_pid(site.command({"--workers", "2", "--listen", passed.address()}));
  std::optional<HttpClient> waiting;
  for (int start = 0; start < 2; ++start) {
    Process server(command, variables, "", passed.pass());
    REQUIRE_THAT(manager.hear(), StartsWith("READY=1\nSTATUS=2 workers"));
    // It was sent while no server was there.
    if (waiting) CHECK(waiting->read_answer().status == 200);
    for (int i = 0; i < 8; ++i) CHECK(fetch(passed.endpoint(), "/hello/").status == 200);
    server.signal(SIGHUP);
    CHECK_THAT(manager.hear(), StartsWith("RELOADING=1\n"));
    CHECK_THAT(manager.hear(), StartsWith("READY=1\n"));
    CHECK(fetch(passed.endpoint(), "/hello/").status == 200);
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK_THAT(manager.hear(), StartsWith("STOPPING=1\n"));
    CHECK_THAT(server.err(), !Contains("ERROR"));
    waiting.emplace(passed.endpoint());
    waiting->request("GET", "/hello/");
  }
}

TEST_CASE("a worker holds one copy of a passed socket", "[e2e][service]") {
  const Site site({"hello"});
  const PassedSocket passed;
  Manager manager(site.path("notify"));
  const Variables variables{
      {"NOTIFY_SOCKET", site.path("notify")}, {"RUNTIME_DIRECTORY", site.path("run")}, {"LISTEN_FDS", "1"}};
  Process server(with_listen_pid(site.command({"--workers", "1", "--listen", passed.address()})), variables, "",
                 passed.pass());
  REQUIRE_THAT(manager.hear(), StartsWith("READY=1\n"));
  CHECK(sockets_of(server.pid()).count(passed.number()) == 2);  // to keep, and to lend
  std::size_t workers = 0;
  for (const pid_t worker : children_of(server.pid(), "sluice-worker")) {
    ++workers;
    CHECK(sockets_of(worker).count(passed.number()) == 1);
  }
  CHECK(workers == 1);
}

TEST_CASE("a passed socket that the settings do not ask for is an error", "[e2e][service]") {
  const Site site({"hello"});
  const PassedSocket passed;
  const Variables variables{
      {"RUNTIME_DIRECTORY", site.path("run")}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "web"}};
  const std::string sentence = "the passed socket at " + passed.address() +
                               " (web) is at no address of the settings: add it to listen, or remove it from "
                               "the .socket unit\n";
  for (const bool check : {false, true}) {
    std::vector<std::string> more{"--workers", "1", "--listen", "127.0.0.1:0"};
    if (check) more.emplace_back("--check");
    const Outcome outcome = run(with_listen_pid(site.command(more)), variables, "", kWaitMs, passed.pass());
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, Catch::Matchers::EndsWith("sluice: " + sentence));
  }
  // A reload that would forget it is refused.
  const std::string config = site.write_beside("sluice.toml", "listen = \"" + passed.address() + "\"\n");
  Process server(with_listen_pid(site.command({"--workers", "1", "--config", config})), variables, "",
                 passed.pass());
  REQUIRE(eventually([&] { return server.out().find("; stop with Ctrl-C") != std::string::npos; }));
  site.write_beside("sluice.toml", "listen = \"127.0.0.1:0\"\n");
  const Outcome reload = run({sluice_binary(), "reload"}, variables);
  CHECK(reload.code == 1);
  CHECK_THAT(reload.err, Contains("nothing changes: " + sentence));
  CHECK(fetch(passed.endpoint(), "/hello/").status == 200);

  const auto asked = with_listen_pid(site.command({"--check", "--listen", passed.address()}));
  CHECK(run(asked, variables, "", kWaitMs, passed.pass()).code == 0);
}

TEST_CASE("sockets that were passed to another process are not used, and a warning says so", "[e2e][service]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1"}, {{"LISTEN_FDS", "1"}, {"LISTEN_PID", "1"}});
  CHECK(server.logs("LISTEN_PID is '1' and this is process " + std::to_string(server.pid())));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("systemd finds nothing wrong with the unit files", "[e2e][service]") {
  if (run({"systemd-analyze", "--version"}).code != 0) {
    WARN("SKIPPED: there is no systemd-analyze");
    return;
  }
  // The installation fills in the program, and systemd looks whether it is there.
  const ScratchFolder scratch;
  for (const std::string name : {"sluice.service", "sluice.socket"}) {
    std::ifstream file(unit_file(name == "sluice.service" ? name + ".in" : name));
    std::string text{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(!text.empty());
    const std::string installed = "@SLUICE_PROGRAM@";
    for (std::size_t at = text.find(installed); at != std::string::npos; at = text.find(installed))
      text.replace(at, installed.size(), sluice_binary());
    scratch.write(name, text);
  }
  const Outcome verified = run({"systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                                scratch.path("sluice.socket"), scratch.path("sluice.service")});
  INFO(verified.err);
  CHECK(verified.code == 0);
  CHECK_THAT(verified.err, !Contains("sluice."));
}
