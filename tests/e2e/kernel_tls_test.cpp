// TLS whose records the kernel makes, for what is sent (ktls=on). Kernels without TLS are told so, and serve
// all the same.
#include <openssl/ssl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/certified_site.h"
#include "support/http2_wire.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct Served {
  Site site{{"hello", "static_sendfile", "dynamic_aio", "ticker"}};
  std::vector<std::string> files = write_certificate(site, "one");
  std::string content = random_bytes(3'000'000);
  ServerProcess server;
  Endpoint https;
  bool by_kernel;  // the kernel has TLS

  Served()
      : server((site.write("big.bin", content), site),
               {"--workers", "1", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                files[0], "--key", files[1], "--ktls", "on", "--mount", "/s/=static_sendfile:root=.", "--mount",
                "/d/=dynamic_aio:root=."}),
        https(https_endpoint(server)),
        by_kernel(server.log().find("this kernel has no TLS") == std::string::npos) {
    // The guest that the tests boot has a kernel with TLS.
    if (std::getenv("SLUICE_KERNEL_HAS_TLS") != nullptr) REQUIRE(by_kernel);
  }
  // How many connections have moved to the kernel.
  int moved() const {
    const std::string text = run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).out;
    const std::string name = "\nsluice_tls_kernel_connections_total{worker=\"1\"} ";
    const std::size_t place = text.find(name);
    REQUIRE(place != std::string::npos);
    return std::stoi(text.substr(place + name.size()));
  }
};

std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace

TEST_CASE("files arrive whole, whoever makes the records", "[e2e][kernel_tls]") {
  Served served;
  const std::string suite =
      GENERATE("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");
  CAPTURE(suite);
  TlsOptions options;
  options.suites = suite;
  std::shared_ptr<ssl_session_st> session;
  for (const std::string target : {"/s/big.bin", "/d/big.bin", "/s/big.bin"}) {
    options.session = session.get();
    TlsClient client(served.https, options);
    CHECK(body_of(client.get(target)) == served.content);
    CHECK(client.ended_in_order());
    CHECK(client.was_resumed() == (session != nullptr));
    session = client.session();
  }
  CHECK(served.moved() == (served.by_kernel ? 3 : 0));
}

TEST_CASE("with TLS 1.2 OpenSSL makes the records", "[e2e][kernel_tls]") {
  Served served;
  TlsClient client(served.https, {"localhost", TLS1_2_VERSION});
  CHECK(body_of(client.get("/s/big.bin")) == served.content);
  CHECK(client.ended_in_order());
  CHECK(served.moved() == 0);
}

TEST_CASE("with HTTP/2 OpenSSL makes the records", "[e2e][kernel_tls]") {
  Served served;
  TlsOptions options;
  options.protocols = "\x02h2";
  TlsClient client(served.https, options);
  CHECK(client.protocol() == "h2");
  Http2Wire wire;
  wire.secure = true;
  client.send(wire.preface() + wire.headers(1, wire.ask("/s/big.bin", "GET", {{"range", "bytes=0-49999"}})));
  while (!wire.is_done(1)) {
    const std::string got = client.read_available();
    REQUIRE_FALSE(got.empty());
    wire.take(got);
  }
  CHECK((wire.answer(1).content == served.content.substr(0, 50'000)));
  CHECK(served.moved() == 0);
}

TEST_CASE("many answers share a connection that the kernel seals", "[e2e][kernel_tls]") {
  Served served;
  TlsClient client(served.https);
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n";
    requests += "GET /s/big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=" + std::to_string(i * 1000) + "-" +
                std::to_string(i * 1000 + 499) + "\r\n\r\n";
  }
  client.send(requests + "GET /s/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all();
  CHECK(client.ended_in_order());
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("\r\n\r\n" + served.content.substr(static_cast<std::size_t>(i) * 1000, 500), at);
    REQUIRE(at != std::string::npos);
    ++at;
  }
  CHECK_THAT(answers, Catch::Matchers::EndsWith(served.content));
}

TEST_CASE("a key update ends a connection that the kernel seals, after the next answer", "[e2e][kernel_tls]") {
  Served served;
  TlsClient client(served.https);
  client.update_keys(1, true);
  client.send("GET /s/big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  if (!served.by_kernel) client.send("GET /hello/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all();
  CHECK_THAT(answers, StartsWith("HTTP/1.1 200") && Contains(served.content));
  CHECK(client.ended_in_order());
}

TEST_CASE("a stream of events passes the kernel piece by piece", "[e2e][kernel_tls]") {
  Served served;
  TlsClient client(served.https);
  client.send("GET /ticker/timer?3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(client.read_all(), StartsWith("HTTP/1.1 200") && Contains("tick 1\n") && Contains("tick 3\n"));
  CHECK(client.ended_in_order());
}

TEST_CASE("a slow client of a connection that closes gets everything", "[e2e][kernel_tls]") {
  Served served;
  for (const std::size_t size : {1U, 16'384U, 16'385U, 200'000U, 999'999U, 3'000'000U}) {
    CAPTURE(size);
    TlsClient client(served.https);
    client.send("GET /s/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=0-" +
                std::to_string(size - 1) + "\r\n\r\n");
    std::string answer;
    for (std::string piece = client.read(30'000); !piece.empty(); piece = client.read(30'000)) {
      answer += piece;
      ::usleep(2'000);
    }
    CHECK((body_of(answer) == served.content.substr(0, size)));
    CHECK(client.ended_in_order());
  }
}
