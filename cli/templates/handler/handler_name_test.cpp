// Starts the installed sluice with the module, and sends it requests over a socket.
#include <catch2/catch.hpp>

#include "support/server_process.h"

using namespace sluice::test;

TEST_CASE("it greets whom the path names") {
  const Site site({"handler_name"});
  ServerProcess server(site);
  const HttpAnswer answer = fetch(server.endpoint(), "/handler_name/you");
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(answer.body == "Hello, you.\n");
  CHECK(fetch(server.endpoint(), "/handler_name/").body == "Hello, world.\n");
  CHECK(fetch(server.endpoint(), "/handler_name/you?loud").body == "Hello, you!\n");
  CHECK(server.stop() == 0);
}

TEST_CASE("its option says how it greets") {
  const Site site({"handler_name"});
  ServerProcess server(site, {"--mount", "/a/=handler_name:greeting=Good morning"});
  CHECK(fetch(server.endpoint(), "/a/Ada").body == "Good morning, Ada.\n");
  const Outcome refused = run(site.command({"--check", "--mount", "/a/=handler_name:greeting="}));
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("greeting"));
}

TEST_CASE("other methods are refused") {
  const Site site({"handler_name"});
  const ServerProcess server(site);
  HttpClient client(server.endpoint());
  client.request("DELETE", "/handler_name/you");
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == 405);
  CHECK(answer.field("Allow") == "GET, HEAD");
}
