// Filters in the running server: placed by options and by a file, over both protocols, swapped, and contained.
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>

#include "e2e/containment.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("filters stand before what is mounted, and before what is not", "[e2e][filters]") {
  const Site site({"filters", "hello", "static_sendfile"});
  site.write("a.txt", "content of a file");
  ServerProcess server(site, {"--filter", "/=filters:label=a", "--filter", "/hello/=filters:label=b", "--mount",
                              "/hello/=hello", "--mount", "/=static_sendfile"});
  HttpClient client(server.endpoint());
  const HttpAnswer hello = client.get("/hello/");
  std::string passed;
  for (const auto& [name, value] : hello.fields) passed += name == "Passed" ? value + ", " : "";
  CHECK(passed == "b ab, a ab, ");
  CHECK(client.get("/a.txt").field("Passed") == "a a");
  CHECK(client.get("/a.txt").body == "content of a file");
  CHECK(client.get("/missing").field("Passed") == "a a");
  CHECK(client.get("/missing").status == 404);
  CHECK(client.get("/hello").field("Passed") == "b ab");
  CHECK(client.get("/hello").status == 301);
  const Outcome status = run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(status.out, Contains("/hello/  filters, a filter"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a file names filters of each site, in their order", "[e2e][filters]") {
  const Site site({"filters", "hello"});
  const std::string file = site.write_beside("sluice.toml", R"(
[[site]]
names = ["a.example"]
[[site.filter]]
at = "/"
module = "filters"
label = "first"
[[site.filter]]
at = "/"
module = "filters"
label = "second"
way = "answers"
[[site.mount]]
at = "/"
module = "hello"

[[site]]
names = ["b.example"]
[[site.mount]]
at = "/"
module = "hello"
)");
  ServerProcess server(site, {"--config", file});
  HttpClient client(server.endpoint());
  client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const HttpAnswer a = client.read_answer();
  CHECK(a.body == "by the filter second");
  CHECK(a.field("Passed") == "first firstsecond");
  client.send("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
  CHECK(client.read_answer().field("Passed").empty());
  const Outcome checked = run(site.command({"--config", file, "--check", "--listen", "127.0.0.1:0"}));
  CHECK(checked.code == 0);
  CHECK_THAT(checked.out, Contains("  /  behind filters\n  /  behind filters\n  /  by hello\n"));
  CHECK(server.stop() == 0);
}

TEST_CASE("mistakes about filters are said in one sentence", "[e2e][filters]") {
  const Site site({"filters", "hello"});
  const auto refusal = [&](const std::vector<std::string>& options) {
    std::vector<std::string> all{"--check", "--listen", "127.0.0.1:0"};
    all.insert(all.end(), options.begin(), options.end());
    const Outcome outcome = run(site.command(all));
    CHECK(outcome.code != 0);
    return outcome.err;
  };
  CHECK_THAT(
      refusal({"--filter", "/=hello"}),
      Contains("module hello is no filter, but the filter / names it: write --mount in place of --filter"));
  CHECK_THAT(
      refusal({"--mount", "/=filters"}),
      Contains("module filters is a filter, but the mount / names it: write --filter in place of --mount"));
  CHECK_THAT(refusal({"--filter", "/=nothing"}),
             Contains("the filter / names the module nothing, which is not in"));
  CHECK_THAT(refusal({"--filter", "/=filters:wey=x"}), Contains("has no option wey"));
  CHECK_THAT(refusal({"--filter", "/=filters:isolate=on,listen=:81"}),
             Contains("has the option isolate, which only mounts have: remove it"));
  CHECK_THAT(refusal({"--filter", "docs=filters"}), Contains("a prefix begins with '/'"));
  const std::string file = site.write_beside("stray.toml", R"([[filter]]
at = "/"
module = "filters"
[[site]]
names = ["a.example"]
[[site.mount]]
at = "/"
module = "hello"
)");
  CHECK_THAT(refusal({"--config", file}), Contains("the filter / stands above the first [[site]]"));
}

TEST_CASE("a filter is swapped under load, and no request passes without one", "[e2e][filters]") {
  const Site site({"filters", "hello"});
  ServerProcess server(
      site, {"--workers", "2", "--swap-quiet", "20ms", "--filter", "/=filters", "--mount", "/=hello"});
  std::atomic<bool> ends = false;
  std::atomic<int> asked = 0;
  std::atomic<int> wrong = 0;
  std::thread load([&] {
    while (!ends) {
      const HttpAnswer answer = fetch(server.endpoint(), "/");
      ++asked;
      if (answer.status != 200 || answer.field("Filters-Version").empty()) ++wrong;
    }
  });
  for (int i = 0; i < 4; ++i) {
    const std::string version = i % 2 == 0 ? "2" : "1";
    put(site, "filters.so", i % 2 == 0 ? "filters_next" : "filters");
    CHECK(eventually([&] { return fetch(server.endpoint(), "/").field("Filters-Version") == version; }));
  }
  ends = true;
  load.join();
  CHECK(asked > 0);
  CHECK(wrong == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a filter that crashes is switched off, and guards its place then, too", "[e2e][filters]") {
  const Site site({"filters", "hello"});
  ServerProcess server(site, options({"--workers", "1", "--filter", "/guarded/=filters:way=crashes", "--mount",
                                      "/guarded/=hello", "--mount", "/free/=hello"}));
  CHECK(fetch(server.endpoint(), "/guarded/").status == 200);
  CHECK(crashes_until(server, "/guarded/?crash", "module filters is switched off"));
  CHECK(answers(server, "/guarded/", 503));
  CHECK(fetch(server.endpoint(), "/guarded").status == 503);
  CHECK(fetch(server.endpoint(), "/free/").status == 200);
  CHECK(server.stop() == kStoppedBroken);
}

TEST_CASE("filters see requests of both protocols alike", "[e2e][filters]") {
  const Site site({"filters", "static_sendfile"});
  site.write("a.txt", std::string(100'000, 'a'));
  ServerProcess server(site, {"--protocols", "h2c,http/1.1", "--filter", "/=filters:way=transform_sized",
                              "--mount", "/=static_sendfile"});
  const std::string url = "http://127.0.0.1:" + std::to_string(server.endpoint().port) + "/a.txt";
  for (const char* protocol : {"--http1.1", "--http2-prior-knowledge"}) {
    const Outcome got = run({"curl", "-sS", "-i", protocol, url});
    CHECK(got.code == 0);
    CHECK_THAT(got.out, Contains("200003"));
    CHECK(got.out.ends_with(std::string(200'000, 'A') + "END"));
  }
  CHECK(server.stop() == 0);
}
