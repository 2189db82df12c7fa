// HTTP/2 as clients see it: over TLS and in clear text, with every module, and when a server stops or reloads.
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "support/certified_site.h"
#include "support/http2_wire.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

struct Served {
  Site site{{"hello", "static_sendfile", "dynamic_aio", "echo"}};
  std::vector<std::string> files = write_certificate(site, "one");
  std::string content = random_bytes(3'000'000);
  ServerProcess server;

  explicit Served(const std::vector<std::string>& more = {"--protocols", "h2,http/1.1,h2c"})
      : server((site.write("big.bin", content), site.write("k.txt", content.substr(0, 1024)), site),
               with_defaults(more)) {}
  std::vector<std::string> with_defaults(std::vector<std::string> more) const {
    more.insert(more.end(), {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                             files[0], "--key", files[1], "--mount", "/s/=static_sendfile:root=.", "--mount",
                             "/d/=dynamic_aio:root=.", "--workers", "2"});
    return more;
  }
  std::string https(const std::string& target) const {
    return "https://127.0.0.1:" + std::to_string(https_endpoint(server).port) + target;
  }
};

// What curl prints: of its format, else the content.
std::string curl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-sk", "--max-time", "20"});
  const Outcome outcome = run(arguments);
  CHECK(outcome.code == 0);
  return outcome.out;
}

// An HTTP/2 connection in clear text.
struct ClearClient {
  HttpClient client;
  Http2Wire wire;

  explicit ClearClient(const Endpoint& endpoint) : client(endpoint) { client.send(wire.preface()); }
  void read_until_done(std::uint32_t id) {
    while (!wire.is_done(id)) {
      const std::string got = client.read_available();
      if (got.empty()) return;
      wire.take(got);
      if (const std::string due = wire.due(); !due.empty()) client.try_send(due);
    }
  }
  Http2Answer& get(std::uint32_t id, const std::string& path) {
    client.send(wire.get(id, path));
    read_until_done(id);
    return wire.answer(id);
  }
};

}  // namespace

TEST_CASE("every module answers over HTTP/2 as over HTTP/1.1", "[e2e][http2]") {
  Served served;
  for (const std::string path : {"/hello/", "/s/k.txt", "/d/k.txt", "/s/big.bin", "/d/big.bin", "/none"}) {
    INFO(path);
    const std::string plain = curl({"--http1.1", served.https(path)});
    CHECK((curl({"--http2", served.https(path)}) == plain));
    CHECK((curl({"--http2-prior-knowledge", served.server.url(path)}) == plain));
    CHECK(curl({"--http2", "-o", "/dev/null", "-w", "%{http_version}", served.https(path)}) == "2");
  }
}

TEST_CASE("ranges, conditions and HEAD over HTTP/2", "[e2e][http2]") {
  Served served;
  const std::string url = served.https(GENERATE("/s/big.bin", "/d/big.bin"));
  const std::string status_and_size = "%{http_code} %{size_download}";
  CHECK((curl({"--http2", "-r", "1000000-1999999", url}) == served.content.substr(1'000'000, 1'000'000)));
  CHECK(curl({"--http2", "-o", "/dev/null", "-w", status_and_size, "-r", "9999999-", url}).substr(0, 3) ==
        "416");
  CHECK(curl({"--http2", "-I", "-o", "/dev/null", "-w", status_and_size, url}) == "200 0");
  CHECK(curl({"--http2", "-o", "/dev/null", "-w", status_and_size, "-H", "If-None-Match: *", url}) == "304 0");
}

TEST_CASE("uploads over HTTP/2", "[e2e][http2]") {
  Served served;
  const std::string file = served.site.root() + "/big.bin";
  CHECK((curl({"--http2", "-T", file, served.https("/echo/")}) == served.content));
  CHECK((curl({"--http2", "-H", "Expect: 100-continue", "--data-binary", "@" + file, served.https("/echo/")}) ==
         served.content));
  CHECK(curl({"--http2", "-T", file, "-o", "/dev/null", "-w", "%{http_code}", served.https("/s/k.txt")}) ==
        "405");
}

TEST_CASE("protocols can be switched off", "[e2e][http2]") {
  SECTION("HTTP/2 over TLS") {
    Served served({"--protocols", "http/1.1"});
    CHECK(curl({"--http2", "-o", "/dev/null", "-w", "%{http_version}", served.https("/hello/")}) == "1.1");
  }
  SECTION("in clear text it is off unless it is asked for") {
    Served served(std::vector<std::string>{});
    CHECK(run({"curl", "-s", "--http2-prior-knowledge", served.server.url("/hello/")}).code != 0);
    CHECK(curl({"--http2", "-o", "/dev/null", "-w", "%{http_version}", served.https("/hello/")}) == "2");
  }
}

TEST_CASE("many streams of many connections", "[e2e][http2]") {
  Served served;
  for (const std::string& url :
       {served.https("/s/k.txt"), served.https("/d/k.txt"), served.server.url("/hello/")}) {
    const Outcome load = run({"h2load", "-n", "4000", "-c", "8", "-m", "100", url}, {}, "", 120'000);
    CHECK_THAT(load.out, Contains("4000 succeeded, 0 failed, 0 errored, 0 timeout"));
  }
  const Outcome large =
      run({"h2load", "-n", "40", "-c", "4", "-m", "10", served.https("/s/big.bin")}, {}, "", 120'000);
  CHECK_THAT(large.out, Contains("40 succeeded, 0 failed, 0 errored, 0 timeout"));
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a client is told to go before the server stops, and loses no request", "[e2e][http2]") {
  Served served;
  ClearClient client(served.server.endpoint());
  CHECK(client.get(1, "/hello/").status == "200");
  client.client.send(client.wire.headers(3, Http2Wire::request("/echo/", "POST"), false));
  client.client.send(Http2Wire::data(3, "a", false));
  while (client.wire.answer(3).content.empty()) client.wire.take(client.client.read_available());
  served.server.signal(SIGTERM);
  while (client.wire.goaways().empty()) client.wire.take(client.client.read_available());
  CHECK(client.wire.goaways()[0].last == 0x7fffffff);
  // A request that was under way when the client heard of it.
  client.client.send(client.wire.get(5, "/hello/") + client.wire.due());
  client.read_until_done(5);
  CHECK(client.wire.answer(5).status == "200");
  client.client.send(Http2Wire::data(3, "b"));
  client.read_until_done(3);
  CHECK(client.wire.answer(3).content == "ab");
  while (true) {
    const std::string got = client.client.read_available();
    if (got.empty()) break;
    client.wire.take(got);
  }
  CHECK(client.wire.goaways().back().last == 5);
  CHECK(client.wire.goaways().back().code == NGHTTP2_NO_ERROR);
  CHECK(served.server.wait() == 0);
}

TEST_CASE("a reload under load fails no request of HTTP/2", "[e2e][http2]") {
  Served served;
  for (int i = 0; i < 3; ++i) {
    ClearClient client(served.server.endpoint());
    CHECK((client.get(1, "/s/big.bin").content == served.content));
    CHECK(served.server.reload());
    CHECK(curl({"--http2", served.https("/hello/")}).size() > 10);
  }
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a flood is ended with one line and a count", "[e2e][http2]") {
  Served served;
  ClearClient client(served.server.endpoint());
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += Http2Wire::frame(NGHTTP2_PING, 0, 0, "12345678");
  client.client.try_send(flood);
  for (std::string got = client.client.read_available(); !got.empty(); got = client.client.read_some(1))
    client.wire.take(got);
  CHECK(client.wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM));
  CHECK(served.server.logs("a client sends too many PING frames"));
  const Outcome metrics = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", served.site.path("run")}});
  CHECK_THAT(metrics.out, Contains(",kind=\"ping\"} 1\n"));
  CHECK(served.server.stop() == 0);
}
