// Many clients at once, and clients that behave badly.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;

namespace {

// All connections stay open together, and each is answered several times.
void serve_many(std::size_t count) {
  REQUIRE(allow_descriptors(count + 100));
  const Site site({"hello"});
  ServerProcess server(site);
  std::vector<HttpClient> clients;
  clients.reserve(count);
  for (std::size_t i = 0; i < count; ++i) clients.emplace_back(server.endpoint());
  for (int round = 0; round < 3; ++round) {
    for (HttpClient& client : clients) client.request("GET", "/hello/");
    for (HttpClient& client : clients) REQUIRE(client.read_answer().status == 200);
  }
  CHECK(server.stop() == 0);  // idle connections do not delay it
}

}  // namespace

TEST_CASE("1,000 connections that stay are each served", "[e2e][connections]") {
  serve_many(1000);
}

TEST_CASE("5,000 connections that stay are each served", "[e2e][connections][.full]") {
  serve_many(5000);
}

TEST_CASE("more connections than may be open wait their turn", "[e2e][connections]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--connections-max", "10"});
  std::vector<HttpClient> clients;
  for (int i = 0; i < 30; ++i) {
    clients.emplace_back(server.endpoint());
    clients.back().request("GET", "/hello/", "Connection: close\r\n");
  }
  for (HttpClient& client : clients) {
    CHECK(client.read_answer().status == 200);
    CHECK(client.ends());
  }
}

namespace {

// Opens so many connections and leaves them idle.
std::vector<HttpClient> keep(const ServerProcess& server, int count, const std::string& target) {
  std::vector<HttpClient> kept;
  for (int i = 0; i < count; ++i) {
    kept.emplace_back(server.endpoint());
    CHECK(kept.back().get(target).status == 200);
  }
  return kept;
}

}  // namespace

TEST_CASE("idle connections give way when as many connections are open as may be", "[e2e][connections]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--connections-max", "10"});
  std::vector<HttpClient> kept = keep(server, 40, "/hello/");
  for (std::size_t i = 0; i < 30; ++i) CHECK(kept[i].ends());
  for (std::size_t i = 30; i < kept.size(); ++i) CHECK(kept[i].get("/hello/").status == 200);
  CHECK(server.count_in_log("--connections-max") == 1);
  const Outcome metrics = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK(metrics.out.find("sluice_connections_gave_way_total{worker=\"1\"} 30\n") != std::string::npos);
}

TEST_CASE("idle connections give way when descriptors are used up", "[e2e][connections]") {
  const Site site({"static_sendfile"});
  for (int i = 0; i < 10; ++i) site.write("static/" + std::to_string(i), random_bytes(100'000));
  std::vector<std::string> options = {"--workers", "1"};
  if (::geteuid() == 0) options.insert(options.end(), {"--user", "root"});  // a test may change root's limits
  ServerProcess server(site, options);
  for (int i = 0; i < 10; ++i) CHECK(fetch(server.endpoint(), "/static/" + std::to_string(i)).status == 200);
  rlimit few{};
  const pid_t worker = server.workers().front();
  REQUIRE(::prlimit(worker, RLIMIT_NOFILE, nullptr, &few) == 0);
  few.rlim_cur = 80;
  REQUIRE(::prlimit(worker, RLIMIT_NOFILE, &few, nullptr) == 0);
  std::vector<HttpClient> kept;
  for (int i = 0; i < 200; ++i) {
    kept.emplace_back(server.endpoint());
    CHECK(kept.back().get("/static/" + std::to_string(i % 10)).status == 200);
  }
  CHECK(kept.back().get("/static/1").status == 200);
  CHECK(server.count_in_log("ulimit -n") == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("idle connections are closed after their time", "[e2e][connections]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--keepalive-timeout", "200ms"});
  HttpClient client(server.endpoint());
  CHECK(client.get("/hello/").status == 200);
  CHECK(client.ends());
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("a client that takes nothing is cut after the send time-out", "[e2e][connections]") {
  const Site site({"echo", "hello"});
  ServerProcess server(
      site, {"--workers", "1", "--send-timeout", "300ms", "--body-timeout", "300ms", "--body-max", "1G"});
  HttpClient stuck(server.endpoint(), kClientTimeoutMs, 4096);
  stuck.send("POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  const std::string piece(64 * 1024, 'x');
  bool cut = false;
  for (int i = 0; i < 2000 && !cut; ++i) cut = !stuck.try_send(piece);
  CHECK(cut);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}

TEST_CASE("clients that connect and vanish leave nothing behind", "[e2e][connections]") {
  const Site site({"hello", "defer", "echo"});
  ServerProcess server(site, {"--workers", "1"});
  for (int i = 0; i < 200; ++i) {
    HttpClient client(server.endpoint());
    switch (i % 5) {
      case 0:
        break;
      case 1:
        client.send("GET /hel");
        break;
      case 2:
        client.request("GET", "/defer/x");
        break;
      case 3:
        client.send("POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
        break;
      default:
        client.request("GET", "/hello/");
    }
    if (i % 2 == 0) client.close_with_reset();
  }
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);  // within the drain time, so that no connection was left hanging
}

TEST_CASE("clients that leave while their connection waits for its turn", "[e2e][connections]") {
  const Site site({"static_sendfile", "dynamic_aio"});
  site.write("static/large.dat", random_bytes(8 * 1024 * 1024));
  site.link("dynamic/large.dat", "../static/large.dat");
  ServerProcess server(site, {"--workers", "1", "--turn-max", "16k"});
  const std::vector<pid_t> workers = server.workers();
  const std::string place = GENERATE("/static/", "/dynamic/");
  for (int i = 0; i < 100; ++i) {
    HttpClient one(server.endpoint());
    HttpClient two(server.endpoint());
    one.request("GET", place + "large.dat");
    two.request("GET", place + "large.dat");
    REQUIRE(one.read_some(static_cast<std::size_t>(i) * 20'000).size() == static_cast<std::size_t>(i) * 20'000);
    if (i % 2 == 0) one.close_with_reset();
  }
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("every body has to come fast enough, wanted or not", "[e2e][connections]") {
  const Site site({"echo", "hello"});
  const std::string path = GENERATE("/echo/", "/hello/");
  INFO(path);
  ServerProcess server(site, {"--workers", "1", "--body-timeout", "300ms", "--body-rate-min", "100"});
  HttpClient dribbler(server.endpoint());
  dribbler.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  bool cut = false;
  for (int i = 0; i < 200 && !cut; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    cut = !dribbler.try_send("x");
  }
  CHECK(cut);
}

TEST_CASE("a client that is slow, but steady, gets its file", "[e2e][connections]") {
  const Site site({"static_sendfile", "dynamic_aio"});
  site.write("static/large.dat", std::string(16 * 1024 * 1024, 'x'));
  site.link("dynamic/large.dat", "../static/large.dat");
  const std::string place = GENERATE("/static/", "/dynamic/");
  ServerProcess server(site, {"--workers", "1", "--send-timeout", "1s"});
  HttpClient slow(server.endpoint(), kClientTimeoutMs, 4096);
  slow.request("GET", place + "large.dat");
  // Too little for the server's socket to have room again within the time-out.
  for (int i = 0; i < 80; ++i) {
    REQUIRE(slow.read_some(5120).size() == 5120);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK_FALSE(slow.was_reset());
}
