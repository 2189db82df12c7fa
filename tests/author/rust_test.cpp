// The crate for handlers and filters in Rust: its own tests, and its examples, which are checked and served.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "author/installed.h"

using namespace sluice::test;

TEST_CASE("a handler and a filter in Rust are built, checked and served", "[author]") {
  if (std::system("cargo --version >/dev/null 2>&1") != 0) {
    WARN("SKIPPED: there is no cargo");
    return;
  }
  const Installed sluice;
  const ScratchFolder build;
  const std::string crate = sluice.prefix() + "/share/sluice/rust";
  const Variables variables{{"CARGO_TARGET_DIR", build.path()}};
  must({"cargo", "test", "--offline", "--quiet"}, variables, crate);
  must({"cargo", "build", "--offline", "--quiet", "--examples"}, variables, crate);

  const Site site;
  for (const std::string name : {"greet", "shout"}) {
    const std::string module = site.plugins() + "/" + name + "_rust.so";
    must({"cp", build.path("debug/examples/lib" + name + ".so"), module});
    must({sluice.program(), "check", module});
  }
  ServerProcess server(site,
                       {"--workers", "2", "--mount", "/r/=greet_rust:greeting=Hi", "--mount", "/s/=greet_rust",
                        "--filter", "/s/=shout_rust"},
                       {{"RUST_BACKTRACE", "0"}});  // which would hold the loop up for long
  CHECK(fetch(server.endpoint(), "/r/Ada").body == "Hi, Ada\n");
  CHECK(fetch(server.endpoint(), "/r/").status == 404);
  CHECK(fetch(server.endpoint(), "/r/panic").status == 500);
  for (int i = 1; i <= 10; ++i) CHECK(fetch(server.endpoint(), "/r/count").body == std::to_string(i));
  HttpClient client(server.endpoint());
  client.send("POST /r/ HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsluice");
  CHECK(client.read_answer().body == "ceilsu");
  client.send("POST /r/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n" + std::string(1'048'577, 'x'));
  CHECK(client.read_answer().status == 413);

  std::string countdown;
  for (int i = 5'000; i > 0; --i) countdown += std::to_string(i) + "\n";
  CHECK(fetch(server.endpoint(), "/r/countdown").body == countdown);
  CHECK(fetch(server.endpoint(), "/r/broken").status == 502);

  const HttpAnswer loud = fetch(server.endpoint(), "/s/Ada?day=1");
  CHECK(loud.body == "HELLO, ADA\n");
  CHECK(loud.field("X-Query") == "day=1");
  CHECK(loud.field("Server").empty());
  CHECK(fetch(server.endpoint(), "/s/Ada?hush").body == "...\n");
  CHECK(fetch(server.endpoint(), "/s/countdown").body == countdown);
  CHECK(fetch(server.endpoint(), "/s/Ada?later").body == "HELLO, ADA\n");
  CHECK(fetch(server.endpoint(), "/s/Ada?stop").status == 403);
  CHECK(fetch(server.endpoint(), "/s/Ada?panic").status == 500);
  const std::string metrics = must({sluice.program(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(metrics, Catch::Contains("shout_rust"));
  CHECK(server.stop() == 0);
}
