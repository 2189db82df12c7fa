// The module status in the server: what it shows over a socket, to whom, and while the server changes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

Outcome ask(const Site& site, const std::vector<std::string>& words) {
  std::vector<std::string> command{sluice_binary()};
  command.insert(command.end(), words.begin(), words.end());
  return run(command, {{"RUNTIME_DIRECTORY", site.path("run")}});
}

HttpAnswer get(const ServerProcess& server, const std::string& target, std::string_view fields = "") {
  HttpClient client(server.endpoint());
  return client.get(target, fields);
}

// Whether python3 can read the JSON, and finds what the expression says of it, by the name `s`.
bool json_is(const Site& site, const std::string& json, const std::string& expression) {
  const std::string file = site.write_beside("status.json", json);
  const Outcome judged =
      run({"python3", "-c", "import json, sys\ns = json.load(open(sys.argv[1]))\nassert " + expression, file});
  INFO(judged.err);
  CHECK(judged.code == 0);
  return judged.code == 0;
}

// The status of an answer to a request from this address of the host, which is an IPv4 one, mapped into IPv6.
std::string status_from(const std::string& from, std::uint16_t port) {
  sockaddr_in6 there{};
  there.sin6_family = AF_INET6;
  there.sin6_port = htons(port);
  sockaddr_in6 here = there;
  here.sin6_port = 0;
  REQUIRE(::inet_pton(AF_INET6, "::ffff:127.0.0.1", &there.sin6_addr) == 1);
  REQUIRE(::inet_pton(AF_INET6, from.c_str(), &here.sin6_addr) == 1);
  constexpr std::string_view kRequest = "GET /-/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer(12, '\0');  // "HTTP/1.1 200"
  const bool asked = ::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof(here)) == 0 &&
                     ::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) == 0 &&
                     ::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0 &&
                     ::recv(fd, answer.data(), answer.size(), MSG_WAITALL) == 12;
  ::close(fd);
  return asked ? answer.substr(9) : "nothing";
}

}  // namespace

TEST_CASE("metrics, JSON, health and the page come over a socket", "[e2e][status]") {
  const Site site({"status", "hello"});
  ServerProcess server(site, {"--workers", "2"});
  CHECK(get(server, "/hello/").status == 200);
  const HttpAnswer metrics = get(server, "/-/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK_THAT(metrics.body, Contains("\nsluice_workers 2\n") && Contains("sluice_module_answer_seconds_bucket"));
  CHECK(eventually([&] {
    return get(server, "/-/metrics").body.find("sluice_answers_total{worker=\"1\",class=\"2xx\"}") !=
           std::string::npos;
  }));
  // Where Prometheus' own tool is installed, it judges them.
  const std::string file = site.write_beside("metrics.txt", metrics.body);
  const Outcome judged =
      run({"sh", "-c", "! command -v promtool >/dev/null || promtool check metrics <\"$0\"", file});
  INFO(judged.out << judged.err);
  CHECK(judged.code == 0);
  const HttpAnswer status = get(server, "/-/status.json");
  CHECK(status.field("Content-Type") == "application/json");
  const std::string expected =
      "s['state'] == 'ready' and len(s['workers']) == 2 and "
      "[m['module'] for m in s['modules']] == ['hello', 'status'] and "
      "s['counters']['requests'] > 0 and s['listening'] and "
      "{m['mount'] for m in s['mounts']} == {'/hello/', '/-/'}";
  CHECK(json_is(site, status.body, expected));
  const Outcome printed = ask(site, {"status", "--json"});
  CHECK(printed.code == 0);
  CHECK(json_is(site, printed.out, expected));
  CHECK(get(server, "/-/health/live").body == "live\n");
  CHECK(get(server, "/-/health/ready").body == "ready\n");
  HttpClient client(server.endpoint());
  client.request("HEAD", "/-/metrics");
  CHECK(client.read_answer(true).status == 200);
  const HttpAnswer page = get(server, "/-/");
  CHECK(page.field("Content-Type") == "text/html; charset=utf-8");
  CHECK_THAT(page.field("Content-Security-Policy"), StartsWith("default-src 'none'; "));
  CHECK(page.field("Cache-Control") == "no-store");
  CHECK(server.stop() == 0);
}

TEST_CASE("what connections wait for is counted", "[e2e][status]") {
  const Site site({"hello", "defer"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/slow/=defer:delay=10s"});
  const auto waits = [&](const std::string& kind, const std::string& count) {
    return eventually([&] {
      const std::string series = "\nsluice_waits{worker=\"1\",for=\"" + kind + "\"} " + count + "\n";
      return ask(site, {"metrics"}).out.find(series) != std::string::npos;
    });
  };
  HttpClient idle(server.endpoint());
  CHECK(idle.get("/hello/").status == 200);
  CHECK(waits("keepalive", "1"));
  {
    HttpClient slow(server.endpoint());
    slow.request("GET", "/slow/");
    HttpClient half(server.endpoint());
    half.send("GET /hello/ HT");
    CHECK(waits("handler", "1"));
    CHECK(waits("head", "1"));
    slow.close_with_reset();
    half.close_with_reset();
  }
  CHECK(waits("handler", "0"));
  CHECK(waits("head", "0"));
  CHECK(waits("keepalive", "1"));
  CHECK(server.stop() == 0);
}

TEST_CASE("the status is for clients on this host that no proxy stands before", "[e2e][status]") {
  const Site site({"status"});
  ServerProcess server(site, {"--workers", "1"});
  CHECK(status_from("::ffff:127.0.0.1", server.endpoint().port) == "200");
  CHECK(status_from("::ffff:127.0.0.2", server.endpoint().port) == "200");
  CHECK(get(server, "/-/metrics", "X-Forwarded-For: 127.0.0.1\r\n").status == 403);
  const HttpAnswer refused = get(server, "/-/", "Via: 1.1 proxy\r\n");
  CHECK(refused.status == 403);
  CHECK_THAT(refused.body, StartsWith("The status is not for what a proxy passes on"));
  CHECK(HttpClient(server.endpoint()).get("/-/metrics", "X-Forwarded-Host: a\r\n").status == 403);
  HttpClient rebound(server.endpoint());
  rebound.send("GET /-/ HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
  CHECK(rebound.read_answer().status == 403);
  CHECK(server.stop() == 0);
}

TEST_CASE("watchers get an event a second, and connect again after a reload", "[e2e][status]") {
  const Site site({"status", "hello"});
  ServerProcess server(site, {"--workers", "1"});
  HttpClient watcher(server.endpoint());
  watcher.request("GET", "/-/events");
  CHECK(watcher.read_head().field("Content-Type") == "text/event-stream");
  const auto reads = [&](std::string_view text) {
    std::string got;
    while (got.find(text) == std::string::npos) {
      const std::string more = watcher.read_available();
      if (more.empty()) return false;
      got += more;
    }
    return true;
  };
  CHECK(reads("data: {\"process\":"));
  CHECK(reads("data: {\"process\":"));
  CHECK(server.reload());
  CHECK(reads("0\r\n\r\n"));  // the last chunk
  CHECK(get(server, "/-/health/ready").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("questions are answered while the server reloads, and while the module itself is swapped",
          "[e2e][status]") {
  const Site site({"status", "hello"});
  ServerProcess server(site, {"--workers", "2", "--swap-quiet", "20ms"});
  HttpClient kept(server.endpoint());
  for (std::size_t reloads = 1; reloads <= 3; ++reloads) {
    server.signal(SIGHUP);
    for (int j = 0; j < 10; ++j) CHECK(get(server, "/-/health/ready").status == 200);
    // Workers that a reload replaces close kept connections.
    REQUIRE(eventually([&] { return server.count_in_log("supervisor: reloaded") == reloads; }));
  }
  const std::string content = site.read_plugin("status");
  for (int generation = 2; generation <= 3; ++generation) {
    // Requests that wait for an answer when the swap comes are of the generation before.
    std::vector<HttpClient> waiting;
    for (int i = 0; i < 8; ++i) waiting.emplace_back(server.endpoint());
    const std::string beside = site.write_beside("plugins.d/.next", content);
    std::filesystem::rename(beside, site.plugins() + "/status.so");
    CHECK(eventually([&] {
      for (HttpClient& client : waiting) client.request("GET", "/-/status.json");
      bool swapped = true;
      for (HttpClient& client : waiting) {
        const HttpAnswer answer = client.read_answer();
        CHECK(answer.status == 200);
        swapped = swapped && answer.body.find("\"event\":\"serves\"") != std::string::npos;
      }
      return swapped;
    }));
  }
  CHECK(
      json_is(site, ask(site, {"status", "--json"}).out,
              "s['module_events'][-1]['module'] == 'status' and s['module_events'][-1]['event'] == 'serves'"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that is switched off is told, and does no harm unless it is needed", "[e2e][status]") {
  const Site site({"status", "hello"});
  ServerProcess server(site,
                       {"--workers", "1", "--mount", "/-/=status", "--mount", "/strict/=status:needs=hello"});
  CHECK(get(server, "/strict/health/ready").body == "ready\n");
  CHECK(ask(site, {"module", "disable", "hello"}).code == 0);
  CHECK(eventually([&] { return get(server, "/strict/health/ready").status == 503; }));
  const HttpAnswer ready = get(server, "/-/health/ready");
  CHECK(ready.status == 200);
  CHECK(ready.body == "ready\nmodule hello is switched off\n");
  CHECK(json_is(site, ask(site, {"status", "--json"}).out, "s['module_events'][0]['event'] == 'switched off'"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a server that stops is not ready for kept connections, and lives", "[e2e][status]") {
  const Site site({"status", "defer"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/=defer:delay=3s"});
  HttpClient late(server.endpoint());
  late.request("GET", "/");  // keeps the worker from ending
  CHECK(eventually([&] {
    return get(server, "/-/metrics").body.find("\nsluice_connections_open{worker=\"1\"} 2\n") !=
           std::string::npos;
  }));
  HttpClient probe(server.endpoint());
  probe.send("GET /-/health/ready HTTP/1.1\r\n");  // it is at work when the server begins to stop
  CHECK(eventually([&] {
    return get(server, "/-/metrics").body.find("\nsluice_connections_open{worker=\"1\"} 3\n") !=
           std::string::npos;
  }));
  server.signal(SIGTERM);
  CHECK(server.logs("stopping: "));
  probe.send("Host: localhost\r\n\r\n");
  const HttpAnswer answer = probe.read_answer();
  CHECK(answer.status == 503);
  CHECK(answer.body == "not ready: the server is stopping\n");
  late.read_answer();
  CHECK(server.wait() == 0);
}

TEST_CASE("a worker out of control that asks without an end harms nobody else", "[e2e][status]") {
  const Site site({"status", "asks_wildly"});
  ServerProcess server(site, {"--workers", "2"});
  for (int i = 0; i < 3; ++i) CHECK(eventually([&] { return get(server, "/asks_wildly/").body == "asked\n"; }));
  CHECK(ask(site, {"status"}).code == 0);
  CHECK(eventually([&] { return get(server, "/-/metrics").status == 200; }));
  CHECK(server.reload());
  CHECK(eventually([&] { return get(server, "/-/health/ready").status == 200; }));
  CHECK(server.stop() == 0);
}
