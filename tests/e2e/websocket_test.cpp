// WebSockets of the kit over real sockets.
#include <sluice/kit/websocket_deflate.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

constexpr std::string_view kAsk =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string masked(unsigned head, const std::string& content) {
  std::string bytes{static_cast<char>(head)};
  if (content.size() < 126) {
    bytes += static_cast<char>(0x80U | content.size());
  } else {
    const int size_bytes = content.size() < 65536 ? 2 : 8;
    bytes += size_bytes == 2 ? '\xfe' : '\xff';
    for (int i = size_bytes - 1; i >= 0; --i) bytes += static_cast<char>(content.size() >> (8 * i) & 0xffU);
  }
  bytes += "mask";
  for (std::size_t i = 0; i < content.size(); ++i) bytes += static_cast<char>(content[i] ^ "mask"[i % 4]);
  return bytes;
}

struct Frame {
  unsigned head = 0;
  std::string content;
};

struct Client {
  HttpClient http;
  HttpAnswer answer;

  explicit Client(const Endpoint& endpoint, const std::string& path = "echo", std::string_view more = "")
      : http(endpoint) {
    http.request("GET", "/ws/" + path, std::string(kAsk) + std::string(more));
    answer = http.read_head();
  }
  Frame read() {
    const auto byte = [&] {
      return static_cast<unsigned>(static_cast<unsigned char>(http.read_some(1).at(0)));
    };
    Frame frame;
    frame.head = byte();
    std::size_t size = byte();
    const int more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more > 0) size = 0;
    for (int i = 0; i < more; ++i) size = size << 8 | byte();
    frame.content = size == 0 ? "" : http.read_some(size);
    return frame;
  }
  std::string ask(const std::string& text) {
    http.send(masked(0x81, text));
    return read().content;
  }
};

struct Served {
  Site site{{"websockets"}};
  ServerProcess server{site, {"--workers", "1"}};
};

}  // namespace

TEST_CASE("messages of every size come back", "[e2e][websocket]") {
  Served served;
  Client client(served.server.endpoint());
  CHECK(client.answer.status == 101);
  CHECK(client.answer.field("Upgrade") == "websocket");
  CHECK(client.answer.field("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK_FALSE(client.answer.has("Sec-WebSocket-Protocol"));
  CHECK_FALSE(client.answer.has("Sec-WebSocket-Extensions"));
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 900'000U}) {
    CAPTURE(size);
    CHECK(client.ask(std::string(size, 'a')) == std::string(size, 'a'));
  }
  client.http.send(masked(0x88, "\x03\xe8"));
  const Frame close = client.read();
  CHECK(close.head == 0x88);
  CHECK(close.content == "\x03\xe8");
  CHECK(client.http.ends());
  CHECK_FALSE(client.http.was_reset());
  CHECK(served.server.stop() == 0);
}

TEST_CASE("protocol and extension are agreed on", "[e2e][websocket]") {
  Served served;
  Client client(served.server.endpoint(), "echo",
                "Sec-WebSocket-Protocol: other, chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
  CHECK(client.answer.field("Sec-WebSocket-Protocol") == "chat");
  CHECK_THAT(client.answer.field("Sec-WebSocket-Extensions"), Contains("permessage-deflate"));
  sluice::kit::DeflatedMessages coding(MAX_WBITS);
  const std::string text(10'000, 'a');
  std::string coded;
  REQUIRE(coding.code(text, coded));
  client.http.send(masked(0xc1, coded));
  const Frame frame = client.read();
  CHECK(frame.head == 0xc1);
  CHECK(frame.content.size() < 200);
  std::string decoded;
  CHECK(coding.decode(frame.content, text.size(), decoded) == 0);
  CHECK(decoded == text);
  // A short message is not worth it.
  client.http.send(masked(0x81, "short"));
  CHECK(client.read().head == 0x81);
  CHECK(served.server.stop() == 0);
}

TEST_CASE("bounds hold, and say why", "[e2e][websocket]") {
  Served served;
  SECTION("of a message") {
    Client client(served.server.endpoint(), "small");
    CHECK(client.ask(std::string(100, 'a')).size() == 100);
    client.http.send(masked(0x81, std::string(101, 'a')));
    CHECK(client.read().content == "\x03\xf1");
    CHECK(client.http.ends());
  }
  SECTION("of a message that grows when it is decoded") {
    Client client(served.server.endpoint(), "small", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    sluice::kit::DeflatedMessages coding(MAX_WBITS);
    std::string coded;
    REQUIRE(coding.code(std::string(10'000, 'a'), coded));
    REQUIRE(coded.size() < 100);
    client.http.send(masked(0xc1, coded));
    CHECK(client.read().content == "\x03\xf1");
  }
  SECTION("of what waits for the client") {
    Client client(served.server.endpoint(), "floods");
    client.http.send(masked(0x81, "go"));
    CHECK(client.read().content.size() == 1000);
    client.http.send(masked(0x88, ""));
    std::size_t frames = 1;
    while (client.read().head == 0x81) ++frames;
    CHECK(frames < 10);
  }
  CHECK(served.server.stop() == 0);
}

TEST_CASE("a module that throws has a fault, and its connection breaks off", "[e2e][websocket]") {
  Served served;
  Client client(served.server.endpoint(), "throws");
  client.http.send(masked(0x81, "go"));
  client.http.read_to_end();
  CHECK(Client(served.server.endpoint()).ask("others go on") == "others go on");
  CHECK(served.server.stop() == 0);
  CHECK_THAT(served.server.log(), Contains("it threw it was told to"));
  CHECK_THAT(served.server.log(), Contains("throws closed with 1006"));
}

TEST_CASE("clients learn that their server stops, or that their module is exchanged", "[e2e][websocket]") {
  Served served;
  Client client(served.server.endpoint());
  CHECK(client.ask("a") == "a");
  SECTION("stops") {
    served.server.signal(SIGTERM);
    CHECK(client.read().content == "\x03\xe9the server stops");
    client.http.send(masked(0x88, "\x03\xe9"));
    CHECK(client.http.ends());
    CHECK(served.server.wait() == 0);
  }
  SECTION("is exchanged") {
    const std::string next_file =
        served.site.write_beside("next.so", served.site.read_plugin("websockets") + "another file");
    std::filesystem::rename(next_file, served.site.plugins() + "/websockets.so");
    CHECK(client.read().content == "\x03\xf4");
    Client next(served.server.endpoint());
    CHECK(next.ask("b") == "b");
    CHECK(served.server.stop() == 0);
  }
}
