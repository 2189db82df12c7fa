// A server that is told to stop with --lame-duck: it is not ready, but still accepts, and then it drains.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

bool is_ready(const ServerProcess& server) {
  return fetch(server.endpoint(), "/-/health/ready").status == 200;
}

}  // namespace

TEST_CASE("a lame duck is not ready, accepts, and keeps no connection", "[e2e][lame_duck]") {
  const Site site({"hello", "status"});
  ServerProcess server(site, {"--workers", "2", "--lame-duck", "1h"});
  HttpClient before(server.endpoint());
  CHECK(before.get("/hello/").field("Connection").empty());
  CHECK(is_ready(server));
  server.signal(SIGTERM);
  CHECK(eventually([&] { return !is_ready(server); }));
  CHECK(fetch(server.endpoint(), "/-/health/live").status == 200);
  // Each worker is told by a message of its own, which may arrive a moment after the supervisor's answer.
  CHECK(eventually([&] { return before.get("/hello/").field("Connection") == "close"; }));
  CHECK(eventually([&] {
    for (int i = 0; i < 20; ++i) {
      HttpClient later(server.endpoint());
      const HttpAnswer answer = later.get("/hello/");
      if (answer.status != 200 || answer.field("Connection") != "close") return false;
    }
    return true;
  }));

  // A worker that dies meanwhile is replaced, and its successor is a lame duck, too.
  const pid_t dead = server.workers().at(0);
  ::kill(dead, SIGKILL);
  CHECK(eventually([&] {
    const std::vector<pid_t> workers = server.workers();
    return workers.size() == 2 && std::find(workers.begin(), workers.end(), dead) == workers.end();
  }));
  for (int i = 0; i < 20; ++i) {
    HttpClient client(server.endpoint());
    CHECK(client.get("/hello/").field("Connection") == "close");
  }
  const Variables variables{{"RUNTIME_DIRECTORY", site.path("run")}};
  CHECK_THAT(run({sluice_binary(), "reload"}, variables).err, Contains("the server is stopping"));

  server.signal(SIGTERM);  // drains at once
  CHECK(server.wait() == 0);
  CHECK(server.logs("stopping: not ready from now on, but connections are accepted for 3600000 ms"));
  CHECK(server.logs("stopping: requests under way may end within"));
}

TEST_CASE("a lame duck drains by itself, and the stop command waits for it", "[e2e][lame_duck]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--lame-duck", "200ms"});
  const Outcome stopped = run({sluice_binary(), "stop"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK(stopped.code == 0);
  CHECK(stopped.out == "stopped\n");
  CHECK(server.wait() == 0);
  CHECK(server.count_in_log("stopping: ") == 2);
}
