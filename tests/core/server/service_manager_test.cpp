// What the service manager is told, at a real socket, also when that is full, gone or none.
#include "server/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using sluice::test::TempFolder;

namespace {

// A service manager's socket. The name is a path, or begins with '@'.
class Manager {
 public:
  explicit Manager(const std::string& name, int type = SOCK_DGRAM)
      : socket_(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  // What has come; empty if nothing has.
  std::string hear() const {
    char text[8192];
    const ssize_t got = ::recv(socket_.get(), text, sizeof(text), 0);
    return got < 0 ? "" : std::string(text, static_cast<std::size_t>(got));
  }

 private:
  UniqueFd socket_;
};

struct Fixture {
  TempFolder folder;
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));

  ServiceVariables at(const std::string& name) const {
    ServiceVariables variables;
    variables.notify_socket = name;
    return variables;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the states of a server are told in order", "[service]") {
  const std::string name = GENERATE(as<std::string>(), "path", "@sluice-test-");
  const std::string full = name[0] == '@' ? name + std::to_string(::getpid()) : folder / name;
  const Manager systemd(full);
  ServiceManager manager(*loop, at(full));
  CHECK(systemd.hear().empty());
  manager.ready("2 workers\nat \xff");
  CHECK(systemd.hear() == "READY=1\nSTATUS=2 workers?at ?");
  const std::uint64_t before_us = monotonic_ns() / 1000;
  manager.reloading();
  const std::string reloading = systemd.hear();
  const std::string beginning = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE_THAT(reloading, StartsWith(beginning));
  CHECK(std::stoull(reloading.substr(beginning.size())) >= before_us);
  manager.ready(std::string(10'000, 'x'));
  CHECK(systemd.hear().size() < 4096);
  manager.stopping(1500);
  CHECK_THAT(systemd.hear(), StartsWith("STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000\n"));
}

TEST_CASE_METHOD(Fixture, "what a full socket has no room for comes later, in order", "[service]") {
  const Manager systemd(folder / "full");
  ServiceManager other(*loop, at(folder / "full"));
  for (int i = 0; i < 4096; ++i) other.ready("fill");  // its own queue is bounded
  ServiceManager manager(*loop, at(folder / "full"));
  manager.reloading();
  manager.ready("again");
  std::vector<std::string> heard;
  const auto is_told = [&] { return !heard.empty() && heard.back() == "READY=1\nSTATUS=again"; };
  for (int turns = 0; turns < 1000 && !is_told(); ++turns) {
    for (std::string text = systemd.hear(); !text.empty(); text = systemd.hear()) {
      if (text != "READY=1\nSTATUS=fill") heard.push_back(text);
    }
    loop->turn(20);
  }
  REQUIRE(heard.size() == 2);
  CHECK_THAT(heard[0], StartsWith("RELOADING=1\n"));
  CHECK(is_told());
}

TEST_CASE_METHOD(Fixture, "signs of life come from the loop, for the process that is meant", "[service]") {
  const Manager systemd(folder / "live");
  ServiceVariables variables = at(folder / "live");
  variables.watchdog_usec = "60000";
  const auto hears_life = [&] {
    const ServiceManager manager(*loop, variables);
    int signs = systemd.hear() == "WATCHDOG=1" ? 1 : 0;
    for (int turns = 0; turns < 100 && signs > 0 && signs < 3; ++turns) {
      loop->turn(60);
      while (systemd.hear() == "WATCHDOG=1") ++signs;
    }
    return signs >= 3;
  };
  CHECK(hears_life());
  variables.watchdog_pid = std::to_string(::getpid());
  CHECK(hears_life());
  variables.watchdog_pid = std::to_string(::getppid());
  CHECK_FALSE(hears_life());
  variables.watchdog_pid.clear();
  for (const char* bad : {"0", "x", "-5", ""}) {
    variables.watchdog_usec = bad;
    CHECK_FALSE(hears_life());
  }
}

TEST_CASE_METHOD(Fixture, "a socket that is gone, or is none, changes nothing", "[service]") {
  const auto serves_on = [&](const std::string& name) {
    ServiceManager manager(*loop, at(name));
    manager.ready("serving");
    manager.stopping(1);
    loop->turn(0);
  };
  serves_on("");
  serves_on("relative");
  serves_on("/");
  serves_on("@");
  serves_on("vsock:2:1234");
  serves_on("/" + std::string(200, 'x'));
  serves_on(folder / "missing");
  folder.write("file", "");
  serves_on(folder / "file");
  const Manager streams(folder / "streams", SOCK_STREAM);
  serves_on(folder / "streams");
  auto systemd = std::make_unique<Manager>(folder / "gone");
  ServiceManager manager(*loop, at(folder / "gone"));
  systemd.reset();
  manager.ready("nobody hears it");
  manager.reloading();
  loop->turn(0);
}

TEST_CASE_METHOD(Fixture, "a forked process cannot speak for the server", "[service]") {
  const Manager systemd(folder / "path");
  ServiceManager manager(*loop, at(folder / "path"));
  manager.close_for_child();
  manager.ready("from a child");
  CHECK(systemd.hear().empty());
}
