// Frames of WebSocket: any bytes are taken, or refused with a code, in whatever pieces they come; and messages
// that a client has framed by the rules come as they were sent.
#include <sluice/kit/websocket_frames.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expect.h"

using namespace sluice::kit;
using sluice::fuzz::expect;

namespace {

constexpr std::size_t kSizeMax = 4096;

struct Heard {
  std::vector<std::string> messages;  // with the opcode in front
  std::uint16_t error = 0;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view bytes, bool coded, std::size_t piece) {
  WebSocketFrames frames(kSizeMax, coded);
  Heard heard;
  while (!bytes.empty() && frames.error() == 0) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    while (frames.error() == 0) {
      const std::size_t before = now.size();
      const auto message = frames.take(now);
      expect(now.size() <= before, "bytes are taken off the front");
      if (!message) break;
      expect(message->content.size() <= kSizeMax, "a message is bounded");
      const auto opcode = static_cast<std::uint8_t>(message->opcode);
      expect((opcode & 8) == 0 || message->content.size() <= 125, "a control frame is short");
      expect(!message->coded || coded, "nothing is coded unless that was agreed on");
      if (message->opcode == WebSocketOpcode::text && !message->coded)
        expect(is_utf8(message->content), "text is UTF-8");
      heard.messages.push_back(static_cast<char>(opcode) + std::string(message->content));
    }
    expect(frames.error() != 0 || now.empty(), "all bytes are taken unless there is an error");
  }
  heard.error = frames.error();
  expect(heard.error == 0 || may_close_with(heard.error), "an error can be sent");
  return heard;
}

std::string frame(unsigned first, std::string_view content, unsigned char mask) {
  std::string bytes(1, static_cast<char>(first));
  const std::size_t size = content.size();
  if (size < 126) {
    bytes += static_cast<char>(0x80 | size);
  } else {
    bytes += {static_cast<char>(0x80 | 126), static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  }
  bytes += {static_cast<char>(mask), static_cast<char>(mask), static_cast<char>(mask), static_cast<char>(mask)};
  for (const char byte : content) bytes += static_cast<char>(static_cast<unsigned char>(byte) ^ mask);
  return bytes;
}

// In as many frames as there are pieces of this size.
void check_written(std::string_view content, std::size_t piece, unsigned char mask) {
  std::string bytes;
  const std::string whole(content.substr(0, kSizeMax));
  for (std::size_t at = 0; at == 0 || at < whole.size(); at += piece) {
    const bool is_last = at + piece >= whole.size();
    bytes +=
        frame((is_last ? 0x80U : 0U) | (at == 0 ? 2U : 0U), std::string_view(whole).substr(at, piece), mask);
    if (!is_last) bytes += frame(0x89, "ping", mask);
  }
  const Heard heard = hear(bytes, false, 7);
  expect(heard.error == 0 && !heard.messages.empty(), "frames by the rules are taken");
  expect(heard.messages.back() == "\x02" + whole, "a message comes as it was sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool coded = (data[0] & 1) != 0;
  const Heard whole = hear(bytes, coded, bytes.size());
  expect(hear(bytes, coded, 1) == whole, "pieces make no difference");
  expect(hear(bytes, coded, 1 + data[1] % 64U) == whole, "pieces make no difference");
  check_written(bytes, 1 + data[1] % 125U, data[0]);
  return 0;
}
