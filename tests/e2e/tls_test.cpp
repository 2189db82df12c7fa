// HTTPS as clients see it: pages, resumed sessions, and how connections end.
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "support/certified_site.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

struct Served {
  Site site{{"hello", "static_sendfile", "dynamic_aio", "ticker", "stalls"}};
  std::string fingerprint;
  std::vector<std::string> files = write_certificate(site, "one", &fingerprint);
  std::string content = random_bytes(3'000'000);
  ServerProcess server;
  Endpoint https;

  explicit Served(std::vector<std::string> more = {"--workers", "2"})
      : server((site.write("big.bin", content), site), with_defaults(std::move(more))),
        https(https_endpoint(server)) {}
  std::vector<std::string> with_defaults(std::vector<std::string> more) const {
    more.insert(more.end(), {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                             files[0], "--key", files[1], "--mount", "/s/=static_sendfile:root=.", "--mount",
                             "/d/=dynamic_aio:root=."});
    return more;
  }
};

std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace

TEST_CASE("every module answers over TLS as in clear text", "[e2e][tls]") {
  Served served;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(version);
  const TlsOptions options{"localhost", version};
  {
    TlsClient client(served.https, options);
    CHECK(client.version() == version);
    CHECK(client.protocol() == "http/1.1");
    CHECK(client.fingerprint() == served.fingerprint);
    const std::string answer = client.get("/hello/");
    CHECK_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    CHECK(client.ended_in_order());
  }
  for (const std::string target : {"/s/big.bin", "/d/big.bin"}) {
    TlsClient client(served.https, options);
    CHECK(body_of(client.get(target)) == served.content);
    CHECK(client.ended_in_order());
  }
  CHECK(HttpClient(served.server.endpoint()).get("/hello/").status == 200);
  CHECK(served.server.stop() == 0);
}

TEST_CASE("pipelined requests over TLS are answered in order", "[e2e][tls]") {
  Served served;
  TlsClient client(served.https);
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(requests + "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.read_all();
  std::size_t count = 0;
  for (std::size_t at = answers.find("HTTP/1.1 200"); at != std::string::npos;
       at = answers.find("HTTP/1.1 200", at + 1)) {
    ++count;
  }
  CHECK(count == 200);
  CHECK_THAT(answers, Contains("HTTP/1.1 404"));
  CHECK(client.ended_in_order());
}

TEST_CASE("sessions are resumed with every worker, after a reload and a worker's death", "[e2e][tls]") {
  Served served;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(version);
  TlsClient first(served.https, {"localhost", version});
  CHECK_FALSE(first.was_resumed());
  first.get("/hello/");
  auto session = first.session();
  REQUIRE(session != nullptr);
  const auto resume = [&](int times) {
    for (int i = 0; i < times; ++i) {
      TlsClient client(served.https, {"localhost", version, session.get()});
      CHECK(client.was_resumed());
      CHECK_THAT(client.get("/hello/"), StartsWith("HTTP/1.1 200"));
      if (version == TLS1_2_VERSION) continue;
      // A ticket of TLS 1.3 is for one use; the client has got another one.
      REQUIRE(client.session() != nullptr);
      session = client.session();
    }
  };
  resume(8);
  REQUIRE(served.server.reload());
  resume(8);
  const pid_t killed = served.server.workers().at(0);
  ::kill(killed, SIGKILL);
  REQUIRE(eventually([&] {
    const auto workers = served.server.workers();
    return workers.size() == 2 && workers[0] != killed && workers[1] != killed;
  }));
  resume(8);
  // Under another name it is another session.
  CHECK_FALSE(TlsClient(served.https, {"example.org", version, session.get()}).was_resumed());
}

TEST_CASE("a client of HTTP on the port of TLS is told so", "[e2e][tls]") {
  Served served;
  HttpClient client(served.https);
  const HttpAnswer answer = client.get("/hello/");
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Contains("https://"));
  CHECK(client.ends());
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("an answer that cannot be completed has no end in order", "[e2e][tls]") {
  Served served({"--handler-timeout", "300ms"});
  TlsClient client(served.https);
  const std::string answer = client.get("/stalls/");
  CHECK_FALSE(client.ended_in_order());
}

TEST_CASE("a failed handshake is logged and counted", "[e2e][tls]") {
  Served served({"--tls-min", "1.3"});
  CHECK_THROWS_WITH(TlsClient(served.https, {"localhost", TLS1_2_VERSION}), Contains("protocol version"));
  CHECK(served.server.logs("a TLS handshake with 127.0.0.1:"));
  CHECK_THROWS_WITH(TlsClient(served.https, {"localhost", 0, nullptr, "\x03xyz"}),
                    Contains("no application protocol"));
  CHECK(HttpClient(served.https).get("/hello/").status == 400);
  // Half a record, then nothing.
  HttpClient half(served.https);
  half.send("\x16\x03\x01");
  CHECK(served.server.running());
  for (const std::string reason :
       {"unsupported protocol", "no application protocol", "the client speaks HTTP in clear text"}) {
    CAPTURE(reason);
    CHECK(eventually([&] {
      const std::string metrics =
          run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", served.site.path("run")}}).out;
      return metrics.find("tls_handshakes_failed_by_reason_total{reason=\"" + reason + "\"} 1\n") !=
             std::string::npos;
    }));
  }
}

TEST_CASE("a slow client of TLS gets everything", "[e2e][tls]") {
  Served served;
  TlsClient client(served.https);
  client.send("GET /s/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 20; ++i) {
    answer += client.read(20'000);
    ::usleep(5'000);
  }
  answer += client.read_all();
  CHECK(body_of(answer) == served.content);
  CHECK(client.ended_in_order());
}

TEST_CASE("a reload takes another certificate, and keeps the old one if the new one is broken", "[e2e][tls]") {
  Served served;
  const std::string before = TlsClient(served.https).fingerprint();
  write_certificate(served.site, "one");
  REQUIRE(served.server.reload());
  std::string after;
  // The workers of before may still take a connection.
  CHECK(eventually([&] { return (after = TlsClient(served.https).fingerprint()) != before; }));
  served.site.write_beside("one.pem", "no certificate");
  CHECK_FALSE(served.server.reload());
  CHECK(served.server.logs("is not a certificate in PEM form"));
  CHECK(TlsClient(served.https).fingerprint() == after);
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a key that signs slowly is used on a thread", "[e2e][tls]") {
  const Site site({"hello"});
  const std::string key = site.path("slow.key");
  const std::string chain = site.path("slow.pem");
  // To find such a key takes a busy machine long.
  REQUIRE(run({"openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-keyout", key, "-out", chain,
               "-days", "2", "-subj", "/CN=localhost"},
              {}, "", 6 * kWaitMs)
              .code == 0);
  ServerProcess server(site, {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                              chain, "--key", key});
  const Endpoint https = https_endpoint(server);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(https, {"localhost", version});
    CHECK_THAT(client.get("/hello/"), StartsWith("HTTP/1.1 200"));
    CHECK(client.ended_in_order());
  }
  // A client that leaves while its signature is computed.
  for (int i = 0; i < 20; ++i) {
    HttpClient leaving(https);
    leaving.send("\x16\x03\x01\x00\x05hello");
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a self-signed certificate is made for development", "[e2e][tls]") {
  const Site site({"hello"});
  ServerProcess server(
      site, {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate", "self-signed"});
  const Endpoint https = https_endpoint(server);
  const std::string fingerprint = TlsClient(https).fingerprint();
  CHECK_THAT(server.out() + server.log(), Contains(fingerprint));
  REQUIRE(server.reload());
  CHECK(TlsClient(https).fingerprint() == fingerprint);
}
