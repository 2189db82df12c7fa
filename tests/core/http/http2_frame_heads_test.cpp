// Heads of frames in what a client of HTTP/2 sends: RFC 9113 sections 3.4 and 4.1.
#include "http/http2_frame_heads.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice;

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(std::uint8_t type, std::uint8_t flags, const std::string& content) {
  std::string out;
  for (const unsigned shift : {16U, 8U, 0U}) out += static_cast<char>(content.size() >> shift & 0xff);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + std::string("\x80\0\x01\x02", 4) + content;  // the first bit is reserved
}

std::string told(const std::string& bytes, std::size_t at_once) {
  Http2FrameHeads heads;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += at_once) {
    heads.walk(std::string_view(bytes).substr(at, at_once), [&](const Http2FrameHead& head) {
      CHECK(head.stream == 0x102);
      out += std::to_string(head.type) + "/" + std::to_string(head.flags) + "/" + std::to_string(head.length) +
             (head.is_empty ? " empty;" : ";");
    });
  }
  return out;
}

}  // namespace

TEST_CASE("heads of frames are found wherever the bytes are cut", "[http2_frame_heads]") {
  const std::string bytes = std::string(kPreface) + frame(4, 0, "") + frame(0, 0, "12345") +
                            frame(1, 4, std::string(70'000, 'x')) + frame(0x42, 0xff, "1") + frame(0, 1, "");
  const std::string expected = "4/0/0 empty;0/0/5;1/4/70000;66/255/1;0/1/0 empty;";
  constexpr std::size_t kPieces[] = {1, 2, 7, 9, 10, 24, 33, 16'384, 1'000'000};
  for (const std::size_t at_once : kPieces) {
    CAPTURE(at_once);
    CHECK(told(bytes, at_once) == expected);
  }
}

TEST_CASE("DATA of padding alone is empty", "[http2_frame_heads]") {
  struct Case {
    std::uint8_t type, flags;
    std::string content;
    std::string told;
  };
  const Case cases[] = {
      {0, 8, std::string("\0", 1), "0/8/1 empty;"},
      {0, 8, std::string("\x03\0\0\0", 4), "0/8/4 empty;"},
      {0, 8, std::string("\x02\0\0\0", 4), "0/8/4;"},
      {0, 8, "\xff" + std::string(255, '\0'), "0/8/256 empty;"},
      {0, 8, "\xff" + std::string(256, '\0'), "0/8/257;"},
      {0, 8, std::string("\x09\0\0\0", 4), "0/8/4;"},  // more padding than frame, which is an error
      {0, 8, "", "0/8/0 empty;"},                      // so is this
      {0, 0, std::string("\0", 1), "0/0/1;"},
      {1, 8, std::string("\0", 1), "1/8/1;"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.told, one.content.size());
    const std::string bytes =
        std::string(kPreface) + frame(one.type, one.flags, one.content) + frame(6, 0, "12345678");
    CHECK(told(bytes, 1) == one.told + "6/0/8;");
    CHECK(told(bytes, bytes.size()) == one.told + "6/0/8;");
  }
}
