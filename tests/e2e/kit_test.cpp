// The kit in the server, over sockets: routes, flows, and clients that leave flows in each of their waits.
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

std::string post(const std::string& path, const std::string& framing, const std::string& content) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n" + content;
}

// How many flows have begun, or ended, in the only worker.
std::string flows(const Site& site, const std::string& what) {
  const std::string text = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).out;
  const std::size_t line = text.find("event=\"" + what + "\"");
  if (line == std::string::npos) return "no counter " + what + " in\n" + text;
  const std::size_t value = text.find("} ", line) + 2;
  return text.substr(value, text.find('\n', value) - value);
}

// Reads until `text` has come. Throws when the server ends the connection before.
std::string read_until(HttpClient& client, std::string_view text) {
  std::string got;
  while (got.find(text) == std::string::npos) {
    const std::string more = client.read_available();
    if (more.empty()) throw std::runtime_error("the connection has ended behind: " + got);
    got += more;
  }
  return got;
}

}  // namespace

TEST_CASE("services and flows of the kit answer over a socket", "[kit]") {
  const Site site({"kit_service", "kit_flows"});
  ServerProcess server(site);
  HttpClient client(server.endpoint());
  CHECK(client.get("/kit_service/items/7").body == "{\"id\":7}");
  client.request("DELETE", "/kit_service/items/7");
  const HttpAnswer refused = client.read_answer();
  CHECK(refused.status == 405);
  CHECK(refused.field("Allow") == "GET, HEAD, OPTIONS, PUT");
  client.request("OPTIONS", "/kit_service/asked");
  CHECK(client.read_answer().field("Allow") == "GET, HEAD, OPTIONS");
  client.request("HEAD", "/kit_service/items/7");
  CHECK(client.read_answer(true).field("Content-Length") == "8");
  CHECK(client.get("/kit_service/away?to=/x%20y").field("Location") == "/x%20y");
  CHECK(client.get("/kit_service/refused?status=304").status == 304);

  CHECK(client.get("/kit_flows/sleep/5").body == "slept 5");
  CHECK(client.get("/kit_flows/steps").body == "012!");
  CHECK(client.get("/kit_flows/caught").status == 200);
  CHECK(client.get("/kit_flows/refused").status == 409);
  CHECK(client.get("/kit_flows/lent").body == "by the exchange");
  CHECK(client.get("/kit_flows/answered/later").body == "answered");
  CHECK(client.get("/kit_flows/answered/now").body == "answered");
  CHECK(server.stop() == 0);
}

TEST_CASE("flows receive bodies, and refuse those that are too long", "[kit]") {
  const Site site({"kit_flows"});
  ServerProcess server(site);
  HttpClient client(server.endpoint());
  client.send(post("/kit_flows/body/20", "Content-Length: 12", "twelve bytes"));
  CHECK(client.read_answer().body == "twelve bytes");
  client.send(
      post("/kit_flows/body/20", "Transfer-Encoding: chunked", chunk("twelve") + chunk(" bytes") + chunk("")));
  CHECK(client.read_answer().body == "twelve bytes");
  client.send(post("/kit_flows/body/20", "Transfer-Encoding: chunked", chunk("")));
  CHECK(client.read_answer().body == "empty");
  client.send(post("/kit_flows/body/11", "Transfer-Encoding: chunked", chunk("twelve") + chunk(" bytes")));
  CHECK(client.read_answer().status == 413);
  client.send(chunk("the rest is taken") + chunk(""));
  client.send(post("/kit_flows/body/11", "Content-Length: 12", "twelve bytes"));
  CHECK(client.read_answer().status == 413);
  CHECK(client.get("/kit_flows/sleep/1").body == "slept 1");
  client.send(post("/kit_flows/body/5", "Content-Length: 5\r\nExpect: 100-continue", ""));
  CHECK(client.read_head().status == 100);
  client.send("12345");
  CHECK(client.read_answer().body == "12345");
  CHECK(server.stop() == 0);
}

TEST_CASE("a flow that throws, or ends without an answer, is the module's fault", "[kit]") {
  const Site site({"kit_flows"});
  ServerProcess server(site);
  for (const char* where : {"now", "later"}) {
    INFO(where);
    CHECK(fetch(server.endpoint(), "/kit_flows/thrown/" + std::string(where)).status == 500);
  }
  CHECK(eventually([&] { return server.count_in_log("thrown on purpose") == 2; }));
  CHECK(fetch(server.endpoint(), "/kit_flows/silent/0").status == 500);
  CHECK(server.logs("it neither answered nor deferred a request"));
  CHECK(fetch(server.endpoint(), "/kit_flows/silent/1").status == 500);
  CHECK(fetch(server.endpoint(), "/kit_flows/asked/1").status == 500);
  CHECK(eventually([&] { return server.count_in_log("a kit::Flow has ended without an answer") == 2; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("clients that leave flows in their waits harm nothing", "[kit]") {
  const Site site({"kit_flows"});
  ServerProcess server(site, {"--workers", "1", "--handler-timeout", "300ms"});
  int begun = 0;
  const auto has_begun = [&] { return flows(site, "begun") == std::to_string(begun); };
  for (int round = 0; round < 3; ++round) {
    for (const char* path : {"sleep/100000", "blocked?ms=20", "steps", "thread"}) {
      HttpClient client(server.endpoint());
      client.request("GET", "/kit_flows/" + std::string(path));
      ++begun;
      REQUIRE(eventually(has_begun));
      client.close_with_reset();
    }
    HttpClient client(server.endpoint());
    client.send(post("/kit_flows/body/20", "Content-Length: 12", "twelve"));
    ++begun;
    REQUIRE(eventually(has_begun));
    client.close_with_reset();
  }
  // The time-out ends flows, too: also one whose thread goes on.
  CHECK(fetch(server.endpoint(), "/kit_flows/sleep/100000").status == 504);
  CHECK(fetch(server.endpoint(), "/kit_flows/blocked?ms=800").status == 504);
  CHECK(fetch(server.endpoint(), "/kit_flows/sleep/1").body == "slept 1");
  CHECK(eventually([&] { return flows(site, "ended") == std::to_string(begun + 3); }));
  CHECK(server.stop() == 0);
}

TEST_CASE("events reach all clients over sockets, and those that come again", "[kit]") {
  const Site site({"kit_events"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/e/=kit_events:heartbeat=50ms"});
  HttpClient one(server.endpoint());
  one.request("GET", "/e/");
  CHECK(one.read_head().field("Content-Type") == "text/event-stream");
  HttpClient teller(server.endpoint());
  for (const char* text : {"first", "second"}) {
    teller.send(post("/e/", "Content-Length: " + std::to_string(std::string(text).size()), text));
    CHECK(teller.read_answer().status == 204);
  }
  std::string got = read_until(one, "data: second\n");
  CHECK_THAT(got, Contains("data: first\n\n"));
  const std::size_t id = got.rfind("id: ", got.find("data: first")) + 4;
  HttpClient again(server.endpoint());
  again.request("GET", "/e/", "Last-Event-ID: " + got.substr(id, got.find('\n', id) - id) + "\r\n");
  again.read_head();
  got = read_until(again, "\n:\n");
  CHECK_THAT(got, Contains("data: second\n\n") && !Contains("first"));
  one.close_with_reset();
  CHECK(eventually([&] { return fetch(server.endpoint(), "/e/clients").body == "1"; }));
  teller.send(post("/e/close", "Content-Length: 0", ""));
  CHECK(teller.read_answer().status == 204);
  CHECK_THAT(read_until(again, "0\r\n\r\n"), !Contains("data:"));
  CHECK(server.stop() == 0);
}
