// HUP: the server reads the configuration and the modules again, and loses no request.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/failing_system.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

// Clients that send requests without a pause, on new connections and on kept ones, and count failures.
class Hammer {
 public:
  Hammer(const Endpoint& endpoint, const std::string& target) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this, endpoint, target] {
        while (!over_) attempt([&] { return fetch(endpoint, target).status == 200; });
      });
      threads_.emplace_back([this, endpoint, target] {
        while (!over_) attempt([&] { return keep_asking(endpoint, target); });
      });
    }
  }
  ~Hammer() { stop(); }
  Hammer(const Hammer&) = delete;
  Hammer& operator=(const Hammer&) = delete;

  void stop() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int answered() const { return answered_; }
  int failed() const { return failed_; }

 private:
  template <typename Ask>
  void attempt(Ask ask) {
    try {
      if (!ask()) ++failed_;
      ++answered_;
    } catch (const std::runtime_error&) {
      ++failed_;
    }
  }
  // Asks until the server says that it closes, as a client must.
  bool keep_asking(const Endpoint& endpoint, const std::string& target) {
    HttpClient client(endpoint);
    for (int i = 0; i < 100 && !over_; ++i) {
      const HttpAnswer answer = client.get(target);
      if (answer.status != 200 || !answer.complete) return false;
      ++answered_;
      if (answer.field("Connection") == "close") return true;
    }
    return true;
  }

  std::atomic<bool> over_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

// A port that the kernel gives to no other program, while a program that asks for its number may listen
// there.
class ReservedPort {
 public:
  ReservedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, length) != 0) throw std::runtime_error("bind fails");
    ::getsockname(fd_, generic, &length);
    port_ = ntohs(address.sin_port);
  }
  ~ReservedPort() { ::close(fd_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("HUP adds and removes mounts without losing a request", "[e2e][reload]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  ServerProcess server(site, {"--workers", "2", "--config", config});
  CHECK(fetch(server.endpoint(), "/b/").status == 404);
  Hammer hammer(server.endpoint(), "/a/");
  for (int round = 0; round < 5; ++round) {
    site.write_beside("sluice.conf", "mount = [\"/a/=hello\", \"/b/=hello\"]\n");
    REQUIRE(server.reload());
    CHECK(eventually([&] { return fetch(server.endpoint(), "/b/").status == 200; }));
    site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
    REQUIRE(server.reload());
    CHECK(eventually([&] { return fetch(server.endpoint(), "/b/").status == 404; }));
  }
  const int so_far = hammer.answered();
  CHECK(eventually([&] { return hammer.answered() > so_far + 200; }));
  hammer.stop();
  CHECK(hammer.failed() == 0);
  CHECK(eventually([&] { return server.workers().size() == 2; }));  // the old ones have ended
  CHECK(server.stop() == 0);
}

TEST_CASE("HUP changes the number of workers and loads new modules", "[e2e][reload]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "workers = 1\n");
  ServerProcess server(site, {"--config", config});
  Hammer hammer(server.endpoint(), "/hello/");
  site.write_beside("sluice.conf", "workers = 4\n");
  site.add_module("options");
  REQUIRE(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 4; }));
  CHECK(eventually([&] { return fetch(server.endpoint(), "/options/").status == 200; }));
  site.write_beside("sluice.conf", "workers = 1\n");
  std::filesystem::remove(site.plugins() + "/options.so");
  REQUIRE(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 1; }));
  for (int i = 0; i < 40; ++i) CHECK(fetch(server.endpoint(), "/options/").status == 404);
  hammer.stop();
  CHECK(hammer.failed() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("HUP moves to another address and keeps the one that stays", "[e2e][reload]") {
  const Site site({"hello"});
  const std::string one = "unix:" + site.path("one.sock");
  const std::string two = "unix:" + site.path("two.sock");
  const std::string config = site.write_beside("sluice.conf", "listen = [\"127.0.0.1:0\", \"" + one + "\"]\n");
  ServerProcess server(site, {"--config", config}, {{"SLUICE_LISTEN", ""}});
  Hammer hammer(server.endpoint(), "/hello/");
  CHECK(fetch(Endpoint{0, site.path("one.sock")}, "/hello/").status == 200);
  site.write_beside("sluice.conf", "listen = [\"127.0.0.1:0\", \"" + two + "\"]\n");
  REQUIRE(server.reload());
  CHECK(eventually([&] { return !std::filesystem::exists(site.path("one.sock")); }));
  CHECK(fetch(Endpoint{0, site.path("two.sock")}, "/hello/").status == 200);
  hammer.stop();
  CHECK(hammer.failed() == 0);
}

TEST_CASE("an address that HUP removes refuses connections", "[e2e][reload]") {
  const Site site({"hello"});
  const ReservedPort reserved;
  const Endpoint removed{reserved.port(), ""};
  const std::string config = site.write_beside(
      "sluice.conf", "listen = [\"127.0.0.1:0\", \"127.0.0.1:" + std::to_string(removed.port) + "\"]\n");
  ServerProcess server(site, {"--workers", "2", "--config", config}, {{"SLUICE_LISTEN", ""}});
  for (int i = 0; i < 20; ++i) CHECK(fetch(removed, "/hello/").status == 200);
  site.write_beside("sluice.conf", "listen = \"127.0.0.1:0\"\n");
  REQUIRE(server.reload());
  CHECK(eventually([&] {
    try {
      HttpClient(removed, 300).get("/hello/");
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).find("connect: ") != std::string::npos;
    }
    return false;
  }));
  for (int i = 0; i < 20; ++i) CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("HUP with a broken configuration changes nothing and says why once", "[e2e][reload]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  ServerProcess server(site, {"--workers", "2", "--config", config});
  const std::vector<pid_t> workers = server.workers();
  Hammer hammer(server.endpoint(), "/a/");
  const auto refused = [&](const std::string& text, const std::string& why) {
    const std::size_t errors = server.count_in_log(" error ");
    site.write_beside("sluice.conf", text);
    CHECK_FALSE(server.reload());
    INFO(server.log());
    CHECK(server.count_in_log(" error ") == errors + 1);
    CHECK_THAT(server.log(), Contains("not reloaded, and nothing changes: ") && Contains(why));
  };
  refused("mont = \"/a/=hello\"\n", config + ":1:1: there is no key 'mont'");
  refused("mount = \"/a/=nothere\"\n", "names the module nothere");
  refused("mount = \"/a/=hello:root=missing\"\n", "missing does not exist");
  refused("mount = \"/a/=hello:nothing=1\"\n", "has no option nothing");
  CHECK(server.workers() == workers);
  hammer.stop();
  CHECK(hammer.failed() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("after a refused HUP with more workers every listening socket is accepted from", "[e2e][reload]") {
  const Site site({"hello"});
  const ServerProcess other(site);
  const std::string config = site.write_beside("sluice.conf", "workers = 1\nlisten = \"127.0.0.1:0\"\n");
  ServerProcess server(site, {"--config", config}, {{"SLUICE_LISTEN", ""}});
  site.write_beside("sluice.conf", "workers = 4\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:" +
                                       std::to_string(other.endpoint().port) + "\"]\n");
  REQUIRE_FALSE(server.reload());
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  ::kill(server.workers().at(0), SIGKILL);
  CHECK(server.logs("was killed by SIGKILL"));
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  site.write_beside("sluice.conf", "workers = 4\nlisten = \"127.0.0.1:0\"\n");
  REQUIRE(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 4; }));
  for (int i = 0; i < 40; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("after reloads that were refused, a new worker still has its modules", "[e2e][reload]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  ServerProcess server(site, {"--workers", "1", "--config", config});
  site.write_beside("sluice.conf", "mount = \"/a/=nothere\"\n");
  for (int i = 0; i < 4; ++i) REQUIRE_FALSE(server.reload());
  const std::vector<pid_t> before = server.workers();
  REQUIRE(before.size() == 1);
  ::kill(before[0], SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != before; }));
  CHECK(fetch(server.endpoint(), "/a/").status == 200);
  site.write_beside("sluice.conf", "mount = \"/b/=hello\"\n");
  CHECK(server.reload());
  CHECK(eventually([&] { return fetch(server.endpoint(), "/b/").status == 200; }));
}

TEST_CASE("a download under way ends unchanged across a reload", "[e2e][reload]") {
  const Site site({"static_sendfile"});
  const std::string content = random_bytes(16 * 1024 * 1024);
  site.write("static/large.dat", content);
  ServerProcess server(site, {"--workers", "1"});
  HttpClient client(server.endpoint(), kClientTimeoutMs, 16 * 1024);
  client.request("GET", "/static/large.dat");
  CHECK(client.read_head().status == 200);
  const std::string begun = client.read_some(1000);
  REQUIRE(server.reload());
  REQUIRE(server.reload());
  CHECK((begun + client.read_some(content.size() - begun.size()) == content));
  CHECK(server.stop() == 0);
}

TEST_CASE("a download across many reloads still has the drain limit at the end", "[e2e][reload]") {
  const Site site({"static_sendfile"});
  const std::size_t size = 16 * 1024 * 1024;
  site.write("static/large.dat", random_bytes(size));
  ServerProcess server(site, {"--workers", "1", "--drain-timeout", "100ms"});
  HttpClient client(server.endpoint(), kClientTimeoutMs, 16 * 1024);
  client.request("GET", "/static/large.dat");
  CHECK(client.read_head().status == 200);
  for (int i = 0; i < 8; ++i) REQUIRE(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 2; }));
  CHECK(server.count_in_log("the drain limit is over") == 0);
  REQUIRE(server.reload());
  CHECK(server.logs("the drain limit is over"));
  CHECK(eventually([&] { return server.workers().size() == 1; }));
  CHECK(client.read_some(size).size() < size);
  CHECK(server.stop() == 0);
}

TEST_CASE("a server still serves after many HUPs at once", "[e2e][reload]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  Hammer hammer(server.endpoint(), "/hello/");
  for (int i = 0; i < 50; ++i) {
    server.signal(SIGHUP);
    fetch(server.endpoint(), "/hello/");
  }
  CHECK(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 2; }));
  hammer.stop();
  CHECK(hammer.failed() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("200 reloads under load, with broken settings between, lose nothing", "[e2e][reload][full]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  ServerProcess server(site, {"--workers", "2", "--config", config});
  Hammer hammer(server.endpoint(), "/a/");
  REQUIRE(server.reload());
  const std::ptrdiff_t descriptors = descriptors_of(server.pid());
  for (int i = 0; i < 200; ++i) {
    const bool broken = i % 4 == 3;
    site.write_beside("sluice.conf", broken       ? "mount = \"/a/=nothere\"\n"
                                     : i % 2 == 0 ? "mount = [\"/a/=hello\", \"/b/=hello\"]\n"
                                                  : "mount = \"/a/=hello\"\n");
    REQUIRE(server.reload() == !broken);
  }
  site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  CHECK(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 2; }));
  CHECK(eventually([&] { return descriptors_of(server.pid()) <= descriptors; }));
  hammer.stop();
  CHECK(hammer.failed() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("TERM during a reload ends everything", "[e2e][reload]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  server.signal(SIGHUP);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
  CHECK(eventually([&] { return server.workers().empty(); }));
}
