// Connections that a module takes over, in clear text, over TLS and over HTTP/2, and what modules learn of
// clients and ends.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "support/certified_site.h"
#include "support/http2_wire.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

constexpr std::string_view kOffer = "Connection: keep-alive, Upgrade\r\nUpgrade: other/1, ECHO\r\n";

std::string request(std::string_view target, std::string_view fields = kOffer) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n";
}

// Reads until the bytes that were received end with `text`.
template <typename Client>
std::string read_until(Client& client, std::string_view text) {
  std::string all;
  while (!all.ends_with(text)) {
    const std::string more = client.read_available();
    if (more.empty()) break;
    all += more;
  }
  return all;
}

struct Served {
  Site site{{"tunnel", "hello"}};
  ServerProcess server;
  explicit Served(const std::vector<std::string>& more = {}) : server(site, more) {}
};

std::string last_end(const Endpoint& endpoint) {
  return fetch(endpoint, "/tunnel/last").body;
}

}  // namespace

TEST_CASE("a module takes a connection over", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  HttpClient client(served.server.endpoint());
  // What follows the head at once is for the module, too.
  client.send(request("/tunnel/echo") + "one ");
  const HttpAnswer head = client.read_head();
  CHECK(head.status == 101);
  CHECK(head.reason == "Switching Protocols");
  CHECK(head.field("Upgrade") == "echo");
  CHECK(head.field("Connection") == "Upgrade");
  CHECK(head.field("Says") == "so");
  CHECK_FALSE(head.has("Content-Length"));
  CHECK_FALSE(head.has("Transfer-Encoding"));
  CHECK(client.read_some(4) == "ONE ");
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\n\r\n");
    CHECK(client.read_some(18) == "GET / HTTP/1.1\r\n\r\n");
  }
  SECTION("until the module ends it") {
    client.send("bye");
    CHECK(client.read_to_end() == "BYE");
    CHECK_FALSE(client.was_reset());
    CHECK(last_end(served.server.endpoint()) == "echo 101 61 0");
  }
  SECTION("until the client ends its side") {
    client.finish_sending();
    CHECK(client.read_to_end() == "the end\n");
    CHECK_FALSE(client.was_reset());
  }
  SECTION("until the client is gone") {
    client.close_with_reset();
    CHECK(eventually([&] { return last_end(served.server.endpoint()) == "echo 101 58 3"; }));
  }
  SECTION("and a large amount passes through in both directions") {
    const std::string much(3'000'000, 'x');
    std::thread sends([&] { client.send(much + "bye"); });
    const std::string got = client.read_to_end();
    sends.join();
    CHECK(got == std::string(much.size(), 'X') + "BYE");
  }
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a connection is not taken over unless its client offers it", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  HttpClient client(served.server.endpoint());
  const std::string fields =
      GENERATE("", "Upgrade: echo\r\n", "Connection: Upgrade\r\n", "Connection: Upgrade\r\nUpgrade: other\r\n",
               "Connection: Upgrade\r\nUpgrade: echo/2\r\n");
  CAPTURE(fields);
  CHECK(client.get("/tunnel/echo", fields).status == 426);
  CHECK(client.get("/tunnel/echo", fields).field("Vary") == "Upgrade");
  CHECK(client.get("/tunnel/echo", fields).field("Upgrade") == "echo");
  CHECK(client.get("/tunnel/echo", fields).field("Connection") == "Upgrade");
  // A body would stand before what is to follow.
  client.send("POST /tunnel/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + std::string(kOffer) +
              "\r\nab");
  CHECK(client.read_answer().status == 426);
  client.send("HEAD /tunnel/echo HTTP/1.1\r\nHost: a\r\n" + std::string(kOffer) + "\r\n");
  CHECK(client.read_answer(true).status == 426);
  client.send("GET /tunnel/echo HTTP/1.0\r\nHost: a\r\n" + std::string(kOffer) + "\r\n");
  CHECK(client.read_answer().status == 426);
  CHECK(served.server.stop() == 0);
}

TEST_CASE("an offer to upgrade that nobody takes changes nothing", "[e2e][upgrade]") {
  Served served;
  HttpClient client(served.server.endpoint());
  CHECK(client.get("/hello/", kOffer).status == 200);
  CHECK(client.get("/hello/", kOffer).status == 200);
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a module that upgrades twice has one upgrade and one fault", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  HttpClient client(served.server.endpoint());
  client.send(
      request("/tunnel/twice", "Connection: Upgrade\r\nUpgrade: another-protocol-with-a-long-name, echo\r\n") +
      "bye");
  const HttpAnswer head = client.read_head();
  CHECK(head.status == 101);
  CHECK(head.field("Upgrade") == "echo");
  CHECK(client.read_to_end() == "BYE");
  CHECK(served.server.stop() == 0);
  CHECK_THAT(served.server.log(), Contains("it set a field after its answer"));
  CHECK_THAT(served.server.log(), Contains("it answered a request twice"));
}

TEST_CASE("a server that stops tells those who have taken connections over", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  HttpClient client(served.server.endpoint());
  client.send(request("/tunnel/echo") + "a");
  CHECK(client.read_head().status == 101);
  CHECK(client.read_some(1) == "A");
  served.server.signal(SIGTERM);
  CHECK(client.read_to_end() == "leaving\n");
  CHECK_FALSE(client.was_reset());
  CHECK(served.server.wait() == 0);
}

TEST_CASE("a tunnel that is silent for too long is closed", "[e2e][upgrade]") {
  Served served({"--workers", "1", "--tunnel-timeout", "300ms"});
  HttpClient client(served.server.endpoint());
  client.send(request("/tunnel/echo") + "a");
  CHECK(client.read_head().status == 101);
  CHECK(client.read_some(1) == "A");
  CHECK(client.ends());
  CHECK(last_end(served.server.endpoint()) == "echo 101 1 2");
  CHECK(served.server.stop() == 0);
  CHECK_THAT(served.server.log(), !Contains("tunnel at"));  // it is no fault
}

TEST_CASE("a periodic timer fires until it is cancelled", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  const auto ticks = [&] { return std::stoul(fetch(served.server.endpoint(), "/tunnel/ticks").body); };
  CHECK(eventually([&] { return ticks() > 3; }));
  CHECK(served.server.stop() == 0);
}

TEST_CASE("modules learn who has connected", "[e2e][upgrade]") {
  const Site site({"tunnel"});
  const std::vector<std::string> certificate = write_certificate(site, "one");
  ServerProcess server(site, {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                              certificate[0], "--key", certificate[1]});
  CHECK(fetch(server.endpoint(), "/tunnel/peer").body ==
        "from 127 0 0 1 port tls 0 name  subject  fingerprint ");
  TlsClient client(https_endpoint(server), {"localhost"});
  CHECK_THAT(client.get("/tunnel/peer"),
             EndsWith("from 127 0 0 1 port tls 13 name localhost subject  fingerprint "));
  CHECK(server.stop() == 0);
}

TEST_CASE("a module takes a connection of TLS over", "[e2e][upgrade]") {
  const Site site({"tunnel"});
  const std::vector<std::string> certificate = write_certificate(site, "one");
  ServerProcess server(site, {"--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                              certificate[0], "--key", certificate[1]});
  TlsClient client(https_endpoint(server));
  client.send(request("/tunnel/echo") + "one ");
  CHECK_THAT(read_until(client, "ONE "), StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  client.send("two bye");
  CHECK(client.read_all() == "TWO BYE");
  CHECK(client.ended_in_order());
  CHECK(server.stop() == 0);
}

TEST_CASE("a stream of HTTP/2 is taken over by an extended CONNECT", "[e2e][upgrade]") {
  Served served({"--workers", "1", "--protocols", "h2c,http/1.1"});
  HttpClient client(served.server.endpoint());
  Http2Wire wire;
  const auto say = [&](const std::string& bytes, std::uint32_t id, const auto& ready) {
    client.send(bytes);
    while (!ready(wire.answer(id))) {
      const std::string got = client.read_available();
      if (got.empty()) break;
      wire.take(got);
      client.try_send(wire.due());
    }
  };
  const auto connect = [&](const std::string& path, const std::string& protocol) {
    return Fields{{":method", "CONNECT"},
                  {":protocol", protocol},
                  {":scheme", "http"},
                  {":path", path},
                  {":authority", "a"}};
  };
  const auto has_status = [](const Http2Answer& answer) { return !answer.status.empty(); };
  const auto has_ended = [](const Http2Answer& answer) { return answer.ended || answer.was_reset; };
  say(wire.preface() + wire.headers(1, connect("/tunnel/echo", "echo"), false), 1, has_status);
  CHECK(wire.answer(1).status == "200");
  CHECK(wire.answer(1).field("says") == "so");
  CHECK(wire.answer(1).field("upgrade").empty());
  CHECK(wire.answer(1).field("content-length").empty());
  SECTION("until the module ends it") {
    say(Http2Wire::data(1, "one ", false), 1,
        [](const Http2Answer& answer) { return answer.content == "ONE "; });
    CHECK(wire.answer(1).content == "ONE ");
    say(Http2Wire::data(1, "bye", false), 1, has_ended);
    CHECK(wire.answer(1).content == "ONE BYE");
    CHECK(wire.answer(1).ended);
    CHECK(last_end(served.server.endpoint()) == "echo 200 7 0");
  }
  SECTION("until the client ends its side") {
    say(Http2Wire::data(1, "one ", true), 1, has_ended);
    CHECK(wire.answer(1).content == "ONE the end\n");
  }
  SECTION("while other streams go on") {
    say(wire.get(3, "/hello/"), 3, has_ended);
    CHECK(wire.answer(3).status == "200");
  }
  SECTION("and not where nobody speaks the protocol") {
    say(wire.headers(3, connect("/tunnel/echo", "other"), false), 3, has_status);
    CHECK(wire.answer(3).status == "426");
    say(wire.headers(5, connect("/tunnel/hello", "echo"), false), 5, has_status);
    CHECK(wire.answer(5).status == "501");
    say(wire.headers(7, connect("/none", "echo"), false), 7, has_status);
    CHECK(wire.answer(7).status == "404");
  }
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a tunnel has room whatever the size of its handshake", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  // Buffers of 2 KiB and 32 KiB end near these sizes.
  const std::size_t size = GENERATE(2040u, 2047u, 2048u, 2049u, 15'000u, 16'000u);
  const std::size_t before = GENERATE(0u, 100u, 400u);  // pipelined requests
  CAPTURE(size, before);
  std::string head = request("/tunnel/echo", std::string(kOffer) + "Cookie: \r\n");
  head.insert(head.size() - 4, std::string(size - head.size(), 'c'));
  const std::string pipelined = "GET /tunnel/last HTTP/1.1\r\nHost: localhost\r\n\r\n";
  HttpClient client(served.server.endpoint());
  std::string all;
  for (std::size_t i = 0; i < before; ++i) all += pipelined;
  client.send(all + head);
  for (std::size_t i = 0; i < before; ++i) CHECK(client.read_answer().status == 200);
  CHECK(client.read_head().status == 101);
  for (int i = 0; i < 3; ++i) {
    client.send("hello");
    CHECK(client.read_some(5) == "HELLO");
  }
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a client that has ended its side may take its time", "[e2e][upgrade]") {
  Served served({"--workers", "1", "--linger-timeout", "100ms"});
  HttpClient client(served.server.endpoint(), kClientTimeoutMs, 4096);
  client.send(request("/tunnel/echo"));
  CHECK(client.read_head().status == 101);
  // The reader pauses, because nobody takes what comes back.
  const std::string much(3'000'000, 'x');
  std::thread sends([&] {
    client.send(much);
    client.finish_sending();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::string got = client.read_to_end();
  sends.join();
  CHECK(got.size() == much.size() + 8);
  CHECK(got.ends_with("Xthe end\n"));
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a client that sends without a pause still gets answers", "[e2e][upgrade]") {
  Served served({"--workers", "1"});
  HttpClient client(served.server.endpoint());
  client.send(request("/tunnel/drops"));
  CHECK(client.read_head().status == 101);
  std::atomic<bool> done = false;
  std::thread sends([&] {
    const std::string piece(100'000, 'x');
    while (!done && client.try_send(piece)) continue;
  });
  CHECK(client.read_some(10'000).size() == 10'000);
  done = true;
  sends.join();
  CHECK(served.server.stop() == 0);
}
