// Starts the installed sluice with the filter before a handler, and sends it requests over a socket.
#include <catch2/catch.hpp>

#include "support/server_process.h"

using namespace sluice::test;

TEST_CASE("it turns away those whose agent has the word, and lets the others go on") {
  const Site site({"filter_name", "hello"});
  ServerProcess server(site, {"--filter", "/hello/=filter_name"});
  CHECK(fetch(server.endpoint(), "/hello/", "User-Agent: a BadBot 1.0\r\n").status == 403);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  const HttpAnswer answer = fetch(server.endpoint(), "/hello/", "User-Agent: curl\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.field("Vary") == "User-Agent");
  CHECK(server.stop() == 0);
}

TEST_CASE("its option says the word") {
  const Site site({"filter_name", "hello"});
  ServerProcess server(site, {"--filter", "/hello/=filter_name:agent=curl"});
  CHECK(fetch(server.endpoint(), "/hello/", "User-Agent: curl\r\n").status == 403);
  CHECK(fetch(server.endpoint(), "/hello/", "User-Agent: a BadBot 1.0\r\n").status == 200);
  const Outcome refused = run(site.command({"--check", "--filter", "/hello/=filter_name:agent="}));
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Catch::Contains("agent"));
}
