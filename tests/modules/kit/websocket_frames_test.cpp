// kit/websocket_frames.h: what a client's bytes say, by the sections of RFC 6455.
#include <sluice/kit/websocket_frames.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice::kit;

namespace {

// A frame of a client; `head` is its first byte.
std::string frame(unsigned head, const std::string& content, bool masked = true) {
  std::string bytes(1, static_cast<char>(head));
  const unsigned mask_bit = masked ? 0x80 : 0;
  if (content.size() < 126) {
    bytes += static_cast<char>(mask_bit | content.size());
  } else if (content.size() < 65536) {
    bytes += static_cast<char>(mask_bit | 126U);
    bytes += static_cast<char>(content.size() >> 8);
    bytes += static_cast<char>(content.size() & 0xff);
  } else {
    bytes += static_cast<char>(mask_bit | 127U);
    for (int i = 7; i >= 0; --i) bytes += static_cast<char>(content.size() >> (8 * i) & 0xff);
  }
  if (!masked) return bytes + content;
  const std::string mask = "\x12\x34\x56\x78";
  bytes += mask;
  for (std::size_t i = 0; i < content.size(); ++i) bytes += static_cast<char>(content[i] ^ mask[i % 4]);
  return bytes;
}

constexpr std::size_t kMax = 200'000;

// "text:hello" for each message, and "!1002" for an error.
std::vector<std::string> read(std::string bytes, std::size_t at_once = std::string::npos, bool coded = false,
                              std::size_t size_max = kMax) {
  WebSocketFrames frames(size_max, coded);
  std::vector<std::string> found;
  while (!bytes.empty() && frames.error() == 0) {
    std::string_view piece = std::string_view(bytes).substr(0, at_once);
    const std::size_t size = piece.size();
    while (const auto message = frames.take(piece)) {
      const auto opcode = message->opcode;
      found.push_back(std::string(opcode == WebSocketOpcode::text     ? "text"
                                  : opcode == WebSocketOpcode::binary ? "binary"
                                  : opcode == WebSocketOpcode::close  ? "close"
                                  : opcode == WebSocketOpcode::ping   ? "ping"
                                                                      : "pong") +
                      (message->coded ? "*" : "") + ":" + std::string(message->content));
    }
    if (frames.error() != 0) found.push_back("!" + std::to_string(frames.error()));
    bytes.erase(0, size - piece.size());
  }
  return found;
}

using Found = std::vector<std::string>;

}  // namespace

TEST_CASE("messages of every size are read, in pieces of any size", "[kit][websocket]") {
  const std::size_t at_once = GENERATE(std::size_t{1}, std::size_t{7}, std::string::npos);
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U}) {
    CAPTURE(at_once, size);
    const std::string content(size, 'a');
    CHECK(read(frame(0x82, content), at_once) == Found{"binary:" + content});
  }
  CHECK(read(frame(0x81, "one") + frame(0x81, "two"), at_once) == Found{"text:one", "text:two"});
}

TEST_CASE("messages in several frames are joined, with control frames in between (section 5.4)",
          "[kit][websocket]") {
  const std::size_t at_once = GENERATE(std::size_t{1}, std::string::npos);
  CHECK(read(frame(0x01, "a") + frame(0x00, "b") + frame(0x80, "c"), at_once) == Found{"text:abc"});
  CHECK(read(frame(0x01, "a") + frame(0x89, "p") + frame(0x00, "") + frame(0x8a, "q") + frame(0x80, "c"),
             at_once) == Found{"ping:p", "pong:q", "text:ac"});
  CHECK(read(frame(0x02, "") + frame(0x80, ""), at_once) == Found{"binary:"});
  // A character may end in the next frame.
  CHECK(read(frame(0x01, "\xe2\x82") + frame(0x80, "\xac"), at_once) == Found{"text:\xe2\x82\xac"});
}

TEST_CASE("frames that break the rules are refused", "[kit][websocket]") {
  const std::size_t at_once = GENERATE(std::size_t{1}, std::string::npos);
  struct Case {
    const char* section;
    std::string bytes;
    const char* error;
  };
  const std::string too_wide = std::string("\x82\xfe\x00\x05", 4) + "maskxxxxx";
  const std::string far_too_wide = std::string("\x82\xff\0\0\0\0\0\0\xff\xff", 10) + "mask";
  const std::string negative = std::string("\x82\xff\x80\0\0\0\0\0\0\0", 10) + "mask";
  const Case cases[] = {
      {"5.1: a client masks", frame(0x81, "a", false), "!1002"},
      {"5.2: RSV1 without an extension", frame(0xc1, "a"), "!1002"},
      {"5.2: RSV2", frame(0xa1, "a"), "!1002"},
      {"5.2: RSV3", frame(0x91, "a"), "!1002"},
      {"5.2: opcode 3", frame(0x83, "a"), "!1002"},
      {"5.2: opcode 7", frame(0x87, "a"), "!1002"},
      {"5.2: opcode 11", frame(0x8b, "a"), "!1002"},
      {"5.2: opcode 15", frame(0x8f, "a"), "!1002"},
      {"5.2: 5 in two bytes", too_wide, "!1002"},
      {"5.2: 65535 in eight bytes", far_too_wide, "!1002"},
      {"5.2: a size with the highest bit", negative, "!1002"},
      {"5.4: a continuation of nothing", frame(0x80, "a"), "!1002"},
      {"5.4: a new message inside another", frame(0x01, "a") + frame(0x81, "b"), "!1002"},
      {"5.5: a control frame in pieces", frame(0x09, "a"), "!1002"},
      {"5.5: a long control frame", frame(0x89, std::string(126, 'a')), "!1002"},
      {"8.1: no UTF-8", frame(0x81, "\xff"), "!1007"},
      {"8.1: overlong", frame(0x81, "\xc0\xaf"), "!1007"},
      {"8.1: overlong in three bytes", frame(0x81, "\xe0\x80\xaf"), "!1007"},
      {"8.1: a surrogate", frame(0x81, "\xed\xa0\x80"), "!1007"},
      {"8.1: above U+10FFFF", frame(0x81, "\xf4\x90\x80\x80"), "!1007"},
      {"8.1: a character that is cut off", frame(0x81, "\xe2\x82"), "!1007"},
      {"8.1: seen before the message ends", frame(0x01, "\xff"), "!1007"},
      {"10.4: too long", frame(0x82, std::string(kMax + 1, 'a')), "!1009"},
      {"10.4: too long in pieces", frame(0x02, std::string(kMax, 'a')) + frame(0x80, "b"), "!1009"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.section, at_once);
    CHECK(read(one.bytes, at_once) == Found{one.error});
  }
}

TEST_CASE("a message may be coded by an extension, in its first frame", "[kit][websocket]") {
  CHECK(read(frame(0xc1, "\xff"), std::string::npos, true) == Found{"text*:\xff"});
  CHECK(read(frame(0x41, "a") + frame(0x80, "b"), std::string::npos, true) == Found{"text*:ab"});
  CHECK(read(frame(0x01, "a") + frame(0xc0, "b"), std::string::npos, true) == Found{"!1002"});
  CHECK(read(frame(0xc9, "a"), std::string::npos, true) == Found{"!1002"});
}

TEST_CASE("the server's frames have the shortest size and no mask (section 5.2)", "[kit][websocket]") {
  const auto made = [](std::size_t size) {
    std::string out;
    append_frame(out, WebSocketOpcode::binary, std::string(size, 'x'));
    return out.substr(0, out.size() - size);
  };
  CHECK(made(0) == std::string("\x82\0", 2));
  CHECK(made(125) == "\x82\x7d");
  CHECK(made(126) == std::string("\x82\x7e\0\x7e", 4));
  CHECK(made(65535) == "\x82\x7e\xff\xff");
  CHECK(made(65536) == std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10));
}

TEST_CASE("close frames have a code that may be sent, and a reason in UTF-8 (section 7.4)",
          "[kit][websocket]") {
  const auto judged = [](std::uint16_t code, const std::string& reason = "") {
    const std::string bytes{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    return judge_close(bytes + reason).error;
  };
  for (const int good : {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999}) {
    CAPTURE(good);
    CHECK(judged(static_cast<std::uint16_t>(good), "bye") == 0);
  }
  for (const int bad : {0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65535}) {
    CAPTURE(bad);
    CHECK(judged(static_cast<std::uint16_t>(bad)) == close_code::kProtocolError);
  }
  CHECK(judge_close("").code == close_code::kNoCode);
  CHECK(judge_close("").error == 0);
  CHECK(judge_close("\x03").error == close_code::kProtocolError);
  CHECK(judged(1000, "\xff") == close_code::kInvalidText);
  // A reason is cut behind a whole character.
  CHECK(close_content(1000, std::string(122, 'a') + "\xe2\x82\xac").size() == 2 + 122);
  CHECK(close_content(1001, "gone") == "\x03\xe9gone");
}
