// The crate for handlers in Rust: its own tests, and its example, which is checked and served.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "author/installed.h"

using namespace sluice::test;

TEST_CASE("a handler in Rust is built, checked and served", "[author]") {
  if (std::system("cargo --version >/dev/null 2>&1") != 0) {
    WARN("SKIPPED: there is no cargo");
    return;
  }
  const Installed sluice;
  const ScratchFolder build;
  const std::string crate = sluice.prefix() + "/share/sluice/rust";
  const Variables variables{{"CARGO_TARGET_DIR", build.path()}};
  must({"cargo", "test", "--offline", "--quiet"}, variables, crate);
  must({"cargo", "build", "--offline", "--quiet", "--example", "greet"}, variables, crate);

  const Site site;
  const std::string module = site.plugins() + "/greet_rust.so";
  must({"cp", build.path("debug/examples/libgreet.so"), module});
  must({sluice.program(), "check", module});
  ServerProcess server(site, {"--workers", "2", "--mount", "/r/=greet_rust:greeting=Hi"});
  CHECK(fetch(server.endpoint(), "/r/Ada").body == "Hi, Ada\n");
  CHECK(fetch(server.endpoint(), "/r/").status == 404);
  CHECK(fetch(server.endpoint(), "/r/panic").status == 500);
  for (int i = 1; i <= 10; ++i) CHECK(fetch(server.endpoint(), "/r/count").body == std::to_string(i));
  HttpClient client(server.endpoint());
  client.send("POST /r/ HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsluice");
  CHECK(client.read_answer().body == "ceilsu");
  client.send("POST /r/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n" + std::string(1'048'577, 'x'));
  CHECK(client.read_answer().status == 413);
}
