// `sluice explain` asked of a running server, and the same decisions in its log.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

Outcome explain(const Site& site, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{sluice_binary(), "explain"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, {{"RUNTIME_DIRECTORY", site.path("run")}});
}

}  // namespace

TEST_CASE("one command tells why a request is answered as it is", "[e2e][explain]") {
  const Site site({"access", "static_sendfile"});
  site.write("docs/a.txt", "content");
  site.write("docs/.secret", "content");
  const std::string log = site.path("access.log");
  ServerProcess server(site, {"--workers", "1", "--access-log", log, "--mount", "/=static_sendfile", "--filter",
                              "/docs/=access:allow=192.0.2.0/24"});
  const Outcome refused = explain(site, {"/docs/a.txt"});
  CHECK(refused.code == 0);
  CHECK_THAT(refused.out, Contains("GET http://localhost/docs/a.txt from 127.0.0.1\n") &&
                              Contains("access at /docs/, generation 1, from " + site.plugins() +
                                       "\n    127.0.0.1 is in deny, or not in allow\n"
                                       "    answers 403\n") &&
                              Contains("\nHTTP/1.1 403 Forbidden\n"));
  const Outcome opened =
      explain(site, {"HEAD", "http://example.org/docs/a.txt", "-H", "If-None-Match: *", "--from", "192.0.2.1"});
  CHECK_THAT(opened.out, Contains("access at /docs/, generation 1, from " + site.plugins() +
                                  "\n    lets the request pass\n") &&
                             Contains("static_sendfile at /, generation 1, from " + site.plugins() +
                                      "\n    opens docs/a.txt: 7 bytes") &&
                             Contains("answers 304: If-None-Match") && Contains("HTTP/1.1 304 Not Modified\n"));
  CHECK_THAT(explain(site, {"/docs/.secret", "--from", "192.0.2.1"}).out, Contains("begins with a dot"));
  CHECK_THAT(explain(site, {"/docs/none", "--from", "192.0.2.1"}).out, Contains("/docs has no 'none'\n"));
  const Outcome json = explain(site, {"/docs/none", "--json", "--from", "192.0.2.1"});
  CHECK_THAT(json.out, Contains(R"("status":404,"decisions":[{"by":"server","what":"takes the site default)"));
  CHECK_THAT(explain(site, {"/", "--from", "me"}).err, Contains("'me' is no address of a client"));
  CHECK_THAT(explain(site, {"ftp://x/"}).err, Contains("'ftp://x/' is no URL"));
  CHECK(server.stop() == 0);
  CHECK(std::filesystem::file_size(log) == 0);
}

TEST_CASE("settings are explained without a server", "[e2e][explain]") {
  const Site site({"static_sendfile", "crasher"});
  site.write("a.txt", "content");
  const auto settings = [&](const std::string& more) {
    return site.write_beside("sluice.toml", "root = \"" + site.root() + "\"\nplugins = \"" + site.plugins() +
                                                "\"\nlisten = \"127.0.0.1:1\"\n" + more);
  };
  const std::string mount = "[[mount]]\nat = \"/\"\nmodule = \"static_sendfile\"\n";
  const Outcome told = explain(site, {"--config", settings(mount), "/a.txt"});
  CHECK(told.code == 0);
  CHECK(told.err.empty());
  CHECK_THAT(told.out, Contains("    opens a.txt: 7 bytes") && Contains("\nHTTP/1.1 200 OK\n"));
  CHECK_THAT(explain(site, {"--config", settings(mount), "/none", "--json"}).out, Contains("\"status\":404"));
  CHECK_THAT(explain(site, {"--config", settings(mount), "/crasher/crash"}).err,
             Contains("the worker ended while it answered this request"));
  const Outcome wrong = explain(site, {"--config", settings("rot = \"/\"\n"), "/"});
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.err, Contains("rot"));
}

TEST_CASE("an isolated mount's own worker is asked", "[e2e][explain]") {
  const Site site({"static_sendfile", "hello"});
  ServerProcess server(site, {"--workers", "2", "--mount", "/=static_sendfile", "--mount",
                              "/new/=hello:isolate=on,listen=unix:" + site.path("new.sock")});
  CHECK_THAT(explain(site, {"/new/"}).out, Contains("hello at /new/, generation 1") && Contains("200 OK"));
  CHECK_THAT(explain(site, {"/newer"}).out, Contains("static_sendfile at /, generation 1"));
  // The sites' own address does not have it.
  CHECK_THAT(explain(site, {server.url("/new/")}).out,
             Contains("static_sendfile at /, generation 1") && Contains("404"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a worker that ends while it explains leaves nobody waiting", "[e2e][explain]") {
  const Site site({"crasher", "hello"});
  ServerProcess server(site, {"--workers", "1"});
  const Outcome crashed = explain(site, {"/crasher/crash"});
  CHECK(crashed.code == 1);
  CHECK_THAT(crashed.err, Contains("the worker ended while it answered this request"));
  CHECK(eventually([&] { return explain(site, {"/hello/"}).code == 0; }));
  CHECK(server.running());
}

TEST_CASE("at the level debug the log has the same decisions", "[e2e][explain]") {
  const Site site({"static_sendfile"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/=static_sendfile", "--log-level", "debug"});
  CHECK(fetch(server.endpoint(), "/none").status == 404);
  CHECK(server.logs(": static_sendfile at /, generation 1: " + site.root() + " has no 'none'"));
  CHECK(server.logs(", for GET /none HTTP/1.1, site default, client 127.0.0.1:"));
  CHECK(server.stop() == 0);
}
