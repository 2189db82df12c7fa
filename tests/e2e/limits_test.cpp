// The filter limit over two workers: what it counts outlives workers, swaps and reloads.
#include <poll.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "e2e/containment.h"

using namespace sluice::test;

namespace {

constexpr int kConnections = 40;  // that the kernel spreads over the workers

// How many of so many requests pass, each on a connection of its own.
int passing(const ServerProcess& server) {
  int count = 0;
  for (int i = 0; i < kConnections; ++i) {
    const int status = fetch(server.endpoint(), "/hello/").status;
    CHECK((status == 200 || status == 429));
    count += status == 200 ? 1 : 0;
  }
  return count;
}

// Requests under way: their bodies do not end.
class UnderWay {
 public:
  explicit UnderWay(const ServerProcess& server) : server_(server) {}

  // Begins so many, and returns how many were not refused.
  int begin(int requests) {
    int count = 0;
    for (int i = 0; i < requests; ++i) {
      auto client = std::make_unique<HttpClient>(server_.endpoint());
      client->send("POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
      if (client->read_head().status != 100) continue;
      ++count;
      clients_.push_back(std::move(client));
    }
    return count;
  }
  void end() { clients_.clear(); }
  // Of those that were not refused.
  int still_open() const {
    int count = 0;
    for (const auto& client : clients_) {
      pollfd events{client->fd(), POLLRDHUP, 0};
      count += ::poll(&events, 1, 0) == 0 ? 1 : 0;
    }
    return count;
  }

 private:
  const ServerProcess& server_;
  std::vector<std::unique_ptr<HttpClient>> clients_;
};

// Whether so many may begin, once workers accept.
bool has_room_for(const ServerProcess& server, int requests) {
  return eventually([&] {
    try {
      UnderWay again(server);
      return again.begin(kConnections) == requests;
    } catch (const std::runtime_error&) {  // no worker accepts yet
      return false;
    }
  });
}

}  // namespace

TEST_CASE("two workers let as many requests pass as one rate says", "[e2e][limits]") {
  const Site site({"limit", "hello"});
  ServerProcess server(site, options({"--workers", "2", "--filter", "/hello/=limit:rate=1/h,burst=7", "--mount",
                                      "/hello/=hello"}));
  CHECK(passing(server) == 7);
  SECTION("the count outlives workers") {
    for (const pid_t worker : server.workers()) ::kill(worker, SIGKILL);
    REQUIRE(eventually([&] { return server.count_in_log("was killed by SIGKILL") == 2; }));
    REQUIRE(answers(server, "/hello/", 429));
    CHECK(passing(server) == 0);
  }
  SECTION("the count outlives reloads and swaps") {
    REQUIRE(server.reload());
    CHECK(passing(server) == 0);
    site.add_module("limit");
    REQUIRE(server.logs("limit.so"));
    CHECK(passing(server) == 0);
    CHECK(server.stop() == 0);
  }
}

TEST_CASE("two workers let as many requests be under way as one number says", "[e2e][limits]") {
  const Site site({"limit", "echo"});
  ServerProcess server(
      site, options({"--workers", "2", "--filter", "/echo/=limit:in_flight=6", "--mount", "/echo/=echo"}));
  UnderWay requests(server);
  CHECK(requests.begin(kConnections) == 6);
  SECTION("others may follow when they end") {
    requests.end();
    CHECK(eventually([&] {
      UnderWay more(server);
      return more.begin(6) == 6;
    }));
    CHECK(server.stop() == 0);
  }
  SECTION("a worker that dies gives back what it had, and the other one keeps its own") {
    const std::vector<pid_t> workers = server.workers();
    REQUIRE(workers.size() == 2);
    ::kill(workers[0], SIGKILL);
    REQUIRE(eventually([&] { return server.count_in_log("was killed by SIGKILL") == 1; }));
    const int kept = requests.still_open();
    CHECK(has_room_for(server, 6 - kept));
    CHECK(requests.still_open() == kept);
    ::kill(workers[1], SIGKILL);
    REQUIRE(eventually([&] { return server.count_in_log("was killed by SIGKILL") == 2; }));
    CHECK(has_room_for(server, 6));
  }
}
