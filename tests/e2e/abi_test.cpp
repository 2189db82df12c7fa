// Modules built against frozen versions of the interface, by each compiler and standard library: they load
// and serve. Older ones serve in a server of the next minor version, and newer ones are refused.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

constexpr const char* kCompilers[] = {"g++", "clang++", "libc++"};

// "1.0/g++" and so on: each frozen version with each compiler.
std::vector<std::string> flavours() {
  std::vector<std::string> found;
  for (const auto& version : fs::directory_iterator(SLUICE_SOURCE "/tests/abi")) {
    if (!fs::exists(version.path() / "layout.txt")) continue;
    for (const char* compiler : kCompilers)
      found.push_back(version.path().filename().string() + "/" + compiler);
  }
  return found;
}

std::string built(const std::string& flavour, const std::string& name = "") {
  return std::string(SLUICE_ABI_MODULES "/") + flavour + (name.empty() ? "" : "/" + name + ".so");
}

void add_modules(const Site& site, const std::string& flavour) {
  for (const auto& module : fs::directory_iterator(built(flavour))) {
    fs::copy(module.path(), site.plugins());
  }
}

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("modules built for a frozen version serve, by any compiler", "[e2e][abi]") {
  REQUIRE(flavours().size() >= 3);
  const std::string flavour = GENERATE(from_range(flavours()));
  INFO("built as " << flavour);
  const Site site;
  add_modules(site, flavour);
  const std::string content = random_bytes(200'000);
  site.write("tour/file", content);
  ServerProcess server(site, {"--workers", "1"});
  HttpClient client(server.endpoint());

  CHECK(client.get("/hello/").body == "Hello from a module of sluice.\n");
  CHECK_THAT(client.get("/options/").body, Contains("size=4k|4096\ntime=2s|2000\nflag=off|0\nchoice=two|1\n"));
  for (const std::string target : {"/ticker/timer?3", "/ticker/fd?3"}) {
    CHECK(client.get(target).body == "tick 1\ntick 2\ntick 3\n");
  }
  CHECK(client.get("/defer/x").body == "deferred x\n");
  CHECK(client.get("/offloader/").body == "done off the loop\n");
  const std::string sent = random_bytes(30'000, 2);
  client.send(post("/echo/", sent));
  CHECK(client.read_answer().body == sent);

  const HttpAnswer counted = client.get("/counting/");
  CHECK(counted.body == "requests=1 lent=0 refused=yes same=yes shared=yes\n");
  CHECK(counted.field("X-Prepared") == "yes");
  CHECK(client.get("/counting/held").body == "these bytes are borrowed\n");

  CHECK(client.get("/tour/file").body == content);
  const HttpAnswer address = client.get("/tour/address");
  CHECK(address.status == 203);
  CHECK_THAT(address.body, StartsWith("127.0.0.1:") && Contains(" at some time\n"));
  CHECK(client.get("/tour/nothing").status == 404);
  CHECK(fetch(server.endpoint(), "/thrower/").status == 500);
  CHECK(server.logs("it threw thrown in handle"));
  CHECK(server.stop() == 0);
}

TEST_CASE("filters, upgrades, hints and trailers built for a frozen version work, by any compiler",
          "[e2e][abi]") {
  std::vector<std::string> newer;
  for (const std::string& flavour : flavours()) {
    if (fs::exists(built(flavour, "filters"))) newer.push_back(flavour);
  }
  REQUIRE(newer.size() >= 3);
  const std::string flavour = GENERATE_COPY(from_range(newer));
  INFO("built as " << flavour);
  const Site site;
  add_modules(site, flavour);
  ServerProcess server(site, {"--workers", "1", "--filter", "/defer/=filters:way=transform,label=a", "--filter",
                              "/hello/=filters:way=replace_sized,label=b"});
  HttpClient client(server.endpoint());
  const HttpAnswer doubled = client.get("/defer/x");
  CHECK(doubled.body == "DDEEFFEERRRREEDD  XX\n\nEND");
  CHECK(doubled.field("Passed") == "a a");
  CHECK(client.get("/hello/").body == "other");

  client.send("GET /hints/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string hinted = client.read_to_end();
  CHECK_THAT(hinted, StartsWith("HTTP/1.1 103 Early Hints\r\n") && Contains("\r\n0\r\nX-Size: 30000\r\n"));

  HttpClient taken(server.endpoint());
  taken.send("GET /tunnel/echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  CHECK(taken.read_head().status == 101);
  taken.send("back");
  CHECK(taken.read_some(4) == "BACK");
  taken.close_with_reset();
  CHECK(server.stop() == 0);
}

TEST_CASE("a handler that rejects while it is constructed is not made", "[e2e][abi]") {
  const std::string flavour = GENERATE(from_range(flavours()));
  INFO("built as " << flavour);
  const Site site;
  fs::copy(built(flavour, "tour"), site.plugins());
  const Outcome refused =
      run(site.command({"--check", "--listen", "127.0.0.1:0", "--mount", "/no/=tour:refuse=on"}));
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err,
             Contains("module tour at /no/ refuses to start: it was told to refuse: say refuse=off"));
}

TEST_CASE("a newer server does not call what an older module lacks", "[e2e][abi]") {
  const std::string flavour = GENERATE(from_range(flavours()));
  INFO("built as " << flavour);
  const Outcome hello = run({SLUICE_ABI_NEXT_SERVER, built(flavour, "hello")});
  CHECK(hello.out == "Hello from a module of sluice.\n\nappended: not asked\nsays more of itself: no\n");
  CHECK(hello.err.empty());
  const Outcome options = run({SLUICE_ABI_NEXT_SERVER, built(flavour, "options")});
  CHECK_THAT(options.out, Contains("number=7|7\n") && Contains("choice=two|"));
  CHECK(options.code == 0);
  CHECK_THAT(run({SLUICE_ABI_NEXT_SERVER, built(flavour, "tour")}).out, Contains("log: the handler retires\n"));
}

TEST_CASE("a newer module serves in its server, and an older one refuses it", "[e2e][abi]") {
  const Outcome served = run({SLUICE_ABI_NEXT_SERVER, built("next", "next_minor")});
  CHECK(served.out == "host 7, request 0\nappended: 42\nsays more of itself: yes\n");
  const Site site({"hello"});
  fs::copy(built("next", "next_minor"), site.plugins());
  ServerProcess server(site);
  CHECK(server.logs("next_minor.so was built for module ABI 1.3, this sluice speaks 1.2: update sluice"));
  CHECK(fetch(server.endpoint(), "/next_minor/").status == 404);
  CHECK(server.stop() == 0);
}

TEST_CASE("a module in C can do what one in C++ can", "[e2e][abi]") {
  const Site site({"plain_c"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/c/=plain_c:greeting=Good day,lines=20000"});
  HttpClient client(server.endpoint());
  const HttpAnswer greeting = client.get("/c/");
  CHECK(greeting.status == 203);
  CHECK(greeting.body == "Good day from C, 0 lent\n");
  CHECK(greeting.field("Content-Type") == "text/plain");
  CHECK(greeting.field("X-Language") == "C");
  std::string lines;
  for (int left = 20'000; left > 0; --left) lines += std::to_string(left) + " to go\n";
  CHECK(client.get("/c/lines").body == lines);
  CHECK(client.get("/c/held").body == "lent by C\n");
  CHECK(client.get("/c/kind").body == "html");
  CHECK(client.get("/c/kind", "Accept: application/json\r\n").body == "json");
  CHECK(client.get("/c/").body == "Good day from C, 0 lent\n");
  CHECK(client.get("/c/timer").body == "done, 0\n");
  CHECK(client.get("/c/watch").body == "done, 0\n");
  CHECK(client.get("/c/work").body == "done, 42\n");
  CHECK(client.get("/c/ask").body == "done, 1\n");
  client.send(post("/c/", std::string(50'000, 'a')));
  CHECK(client.read_answer().body == "done, " + std::to_string(50'000 * 'a') + "\n");
  CHECK(client.get("/c/shared").body == "21 1 1 0 1");
  CHECK(client.get("/c/shared").body == "42 1 1 0 1");
  CHECK(client.get("/c/nothing").status == 404);
  {
    HttpClient gone(server.endpoint());
    gone.request("GET", "/c/lines");
    gone.close_with_reset();
    HttpClient half(server.endpoint());
    half.send("POST /c/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
    half.close_with_reset();
  }
  CHECK(client.get("/c/work").body == "done, 42\n");
  CHECK(server.stop() == 0);

  const Outcome next = run({SLUICE_ABI_NEXT_SERVER, module_file("plain_c")});
  CHECK_THAT(next.out, StartsWith("Hello from C, 0 lent\n\nappended: not asked\n") &&
                           Contains("log: the handler in C retires\n"));

  const Outcome refused =
      run(site.command({"--check", "--listen", "127.0.0.1:0", "--mount", "/c/=plain_c:greeting="}));
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Contains("refuses to start: it has nothing to say: give it a greeting"));
}

TEST_CASE("a filter in C can do what one in C++ can", "[e2e][abi]") {
  const Site site({"filter_c", "hello"});
  ServerProcess server(site, {"--workers", "1", "--filter", "/=filter_c", "--mount", "/hello/=hello"});
  HttpClient client(server.endpoint());
  const HttpAnswer answer = client.get("/hello/");
  CHECK(answer.status == 200);
  CHECK(answer.body == "HELLO FROM A MODULE OF SLUICE.\n");
  CHECK(answer.field("X-Scheme") == "http");
  CHECK(client.get("/hello/?stop").status == 403);
  CHECK(client.get("/hello/?dot").body == ".");
  CHECK(client.get("/nowhere?go").body == "HELLO FROM A MODULE OF SLUICE.\n");
  const HttpAnswer nothing = client.get("/nowhere");
  CHECK(nothing.status == 404);
  CHECK_THAT(nothing.body, Contains("<!DOCTYPE HTML>", Catch::CaseSensitive::Yes));
  const Outcome metrics = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(metrics.out, Contains("filter_c"));
  CHECK(server.stop() == 0);
}
