// kit/websocket_handshake.h and websocket_deflate.h: what a client may ask for, and what it is answered.
#include <sluice/kit/websocket_deflate.h>
#include <sluice/kit/websocket_handshake.h>

#include <catch2/catch.hpp>
#include <string>

#include "support/fake_exchange.h"

using namespace sluice;
using namespace sluice::kit;

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

const Lines kGood = {{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};

Lines with(Lines lines, const Lines& more) {
  for (const auto& [name, value] : more) {
    std::erase_if(lines, [&, &key = name](const auto& line) { return line.first == key; });
    if (!value.empty()) lines.emplace_back(name, value);
  }
  return lines;
}

std::uint32_t refusal(const Lines& more, const WebSocketOrigins& origins = {}, Method method = Method::get,
                      const std::string& offer = "websocket") {
  test::FakeServer server;
  test::RequestPlan plan;
  plan.method = method;
  plan.fields = more.size() > 2 ? more : with(kGood, more);
  plan.upgrade = offer;
  plan.authority = "example.org:8080";
  test::FakeExchange exchange(server, plan);
  return judge_websocket(exchange, origins).refusal;
}

}  // namespace

TEST_CASE("the key is answered as RFC 6455 section 1.3 shows", "[kit][websocket]") {
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("sums of messages of many lengths", "[kit][websocket]") {
  const auto hex = [](const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
      char digits[3];
      std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += digits;
    }
    return text;
  };
  CHECK(hex(kit::detail::sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex(kit::detail::sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(kit::detail::sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex(kit::detail::sha1(std::string(1'000'000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("a handshake that breaks the rules is refused (section 4.2.1)", "[kit][websocket]") {
  CHECK(refusal({}) == 0);
  CHECK(refusal({{"Sec-WebSocket-Version", ""}}) == 426);
  CHECK(refusal({{"Sec-WebSocket-Version", "8"}}) == 426);
  CHECK(refusal({}, {}, Method::get, "") == 426);
  CHECK(refusal({}, {}, Method::post) == 400);
  CHECK(refusal({{"Sec-WebSocket-Key", ""}}) == 400);
  CHECK(refusal({{"Sec-WebSocket-Key", "short"}}) == 400);
  Lines twice = kGood;
  twice.push_back(kGood[1]);
  CHECK(refusal(twice) == 400);
}

TEST_CASE("only pages of the own origin may connect, unless others are named", "[kit][websocket]") {
  CHECK(refusal({{"Origin", "https://example.org:8080"}}) == 0);
  CHECK(refusal({{"Origin", "HTTPS://EXAMPLE.ORG:8080"}}) == 0);
  CHECK(refusal({{"Origin", "https://example.org"}}) == 403);
  CHECK(refusal({{"Origin", "https://evil.example"}}) == 403);
  CHECK(refusal({{"Origin", "null"}}) == 403);
  CHECK(refusal({{"Origin", "https://evil.example"}}, {true}) == 0);
  const WebSocketOrigins also{false, "https://a.example, https://b.example"};
  CHECK(refusal({{"Origin", "https://b.example"}}, also) == 0);
  CHECK(refusal({{"Origin", "https://c.example"}}, also) == 403);
}

TEST_CASE("a page's scheme and port count", "[kit][websocket]") {
  const WebSocketOrigins own;
  CHECK(own.allow("https://a.example", "a.example", "https"));
  CHECK(own.allow("https://a.example", "a.example:443", "https"));
  CHECK(own.allow("https://a.example:443", "a.example", "https"));
  CHECK(own.allow("http://a.example", "a.example:80", "http"));
  CHECK(own.allow("https://a.example", "a.example", "http"));  // a proxy has taken the TLS off
  CHECK_FALSE(own.allow("http://a.example", "a.example", "https"));
  CHECK_FALSE(own.allow("https://a.example:444", "a.example", "https"));
  CHECK_FALSE(own.allow("file://", "", "http"));
  CHECK(own.allow("", "", "http"));
}

TEST_CASE("lists may come in several lines", "[kit][websocket]") {
  test::FakeServer server;
  test::RequestPlan plan;
  plan.fields = with(kGood, {{"Sec-WebSocket-Protocol", "one, two"}});
  plan.fields.emplace_back("sec-websocket-protocol", "three");
  plan.upgrade = "websocket";
  test::FakeExchange exchange(server, plan);
  const WebSocketAsk ask = judge_websocket(exchange);
  CHECK(ask.names("one"));
  CHECK(ask.names("three"));
  CHECK_FALSE(ask.names("four"));
}

TEST_CASE("offers of permessage-deflate are judged (RFC 7692 section 7.1)", "[kit][websocket]") {
  const auto answer = [](std::string_view offer) {
    std::string text;
    const auto coding = deflate_messages(offer, text);
    CHECK((coding != nullptr) == !text.empty());
    return text;
  };
  const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  CHECK(answer("permessage-deflate") == plain);
  CHECK(answer("permessage-deflate; client_max_window_bits") == plain);
  CHECK(answer("permessage-deflate; client_max_window_bits=10") == plain);
  CHECK(answer("permessage-deflate;server_max_window_bits=\"10\"") == plain + "; server_max_window_bits=10");
  CHECK(answer("x-other, permessage-deflate; server_max_window_bits=8, permessage-deflate") == plain);
  CHECK(answer("permessage-deflate; server_max_window_bits=15") == plain + "; server_max_window_bits=15");
  CHECK(answer("") == "");
  CHECK(answer("x-webkit-deflate-frame") == "");
  CHECK(answer("permessage-deflate; server_max_window_bits=16") == "");
  CHECK(answer("permessage-deflate; server_max_window_bits") == "");
  CHECK(answer("permessage-deflate; server_no_context_takeover=1") == "");
  CHECK(answer("permessage-deflate; unknown") == "");
  CHECK(answer("permessage-deflate; client_max_window_bits; client_max_window_bits") == "");
}

TEST_CASE("coded messages are decoded, and bounded", "[kit][websocket]") {
  DeflatedMessages coding(MAX_WBITS);
  std::string coded;
  std::string decoded;
  const std::string text = GENERATE(std::string(100, 'a'), std::string(300'000, 'b'), std::string(70, '\0'));
  REQUIRE(coding.code(text, coded));
  CHECK(coded.size() < text.size() / 2);
  CHECK(coding.decode(coded, text.size(), decoded) == 0);
  CHECK(decoded == text);
  CHECK(coding.decode(coded, text.size() - 1, decoded) == close_code::kTooLong);
  CHECK(decoded.size() < text.size());
  CHECK(coding.decode("\xff\xff\xff", 100, decoded) == close_code::kInvalidText);
  // "Hello" as RFC 7692 section 7.2.3.1 shows it, and without compression as in 7.2.3.3.
  CHECK(coding.decode(std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7), 100, decoded) == 0);
  CHECK(decoded == "Hello");
  CHECK(coding.decode(std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11), 100, decoded) == 0);
  CHECK(decoded == "Hello");
  // A last block, as in 7.2.3.4, two blocks, as in 7.2.3.5, and one that breaks off.
  CHECK(coding.decode(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8), 100, decoded) == 0);
  CHECK(decoded == "Hello");
  CHECK(coding.decode(std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13), 100, decoded) ==
        0);
  CHECK(decoded == "Hello");
  CHECK(coding.decode("\xf2\x48\xcd\xc9", 100, decoded) == close_code::kInvalidText);
  CHECK_FALSE(coding.code("too short", coded));
}
