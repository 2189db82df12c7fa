// The extension permessage-deflate (RFC 7692), by zlib: link `z`. Give it as WebSocketOptions::codings:
//
//     sluice::kit::WebSocket::accept(exchange, host_, socket, {.codings = sluice::kit::deflate_messages});
//
// No message refers to earlier ones, in both directions, so a connection at rest needs no memory for it. Loop
// thread.
#pragma once

#include <sluice/kit/websocket_coding.h>
#include <sluice/kit/websocket_frames.h>
#include <sluice/kit/websocket_handshake.h>
#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::kit {

class DeflatedMessages final : public WebSocketCoding {
 public:
  explicit DeflatedMessages(int window_bits) : window_bits_(window_bits) {}

  bool code(std::string_view message, std::string& out) override {
    constexpr std::size_t kWorthIt = 64;
    if (message.size() < kWorthIt) return false;
    z_stream stream{};
    constexpr int kLevel = 1;
    constexpr int kMemory = 8;
    if (deflateInit2(&stream, kLevel, Z_DEFLATED, -window_bits_, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
      return false;
    const Ended ended{stream, deflateEnd};
    out.resize(deflateBound(&stream, static_cast<uLong>(message.size())) + kTail.size() + 1);
    give(stream, message);
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in > 0) return false;
    out.resize(stream.total_out);
    if (!out.ends_with(kTail)) return false;
    out.resize(out.size() - kTail.size());  // section 7.2.1
    return out.size() < message.size();
  }

  std::uint16_t decode(std::string_view coded, std::size_t size_max, std::string& out) override {
    out.clear();
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return close_code::kFailed;
    const Ended ended{stream, inflateEnd};
    std::uint16_t error = inflate_part(stream, coded, size_max, out);
    if (error == 0) error = inflate_part(stream, kTail, size_max, out);
    constexpr int kBetweenBlocks = 128;
    return error == 0 && (stream.data_type & kBetweenBlocks) == 0 ? close_code::kInvalidText : error;
  }

 private:
  static constexpr std::string_view kTail{"\0\0\xff\xff", 4};

  struct Ended {
    z_stream& stream;
    int (*end)(z_stream*);
    ~Ended() { end(&stream); }
  };

  static void give(z_stream& stream, std::string_view bytes) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
  }

  static std::uint16_t inflate_part(z_stream& stream, std::string_view bytes, std::size_t size_max,
                                    std::string& out) {
    give(stream, bytes);
    for (;;) {
      char buffer[8 * 1024];
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof(buffer);
      const int result = inflate(&stream, Z_SYNC_FLUSH);
      const std::size_t made = sizeof(buffer) - stream.avail_out;
      if (made > size_max - out.size()) return close_code::kTooLong;
      out.append(buffer, made);
      if (result == Z_STREAM_END) {  // its last block may say so, and others may follow (section 7.2.3.4)
        inflateReset(&stream);
        if (stream.avail_in == 0) return 0;
        continue;
      }
      if (result != Z_OK && result != Z_BUF_ERROR) return close_code::kInvalidText;
      if (stream.avail_out > 0) return 0;
    }
  }

  int window_bits_;
};

namespace detail {

// The window of one offer of permessage-deflate, 0 if it names none; nullopt if the offer cannot be accepted.
// zlib makes no raw window of 8 bits.
inline std::optional<int> window_of_offer(std::string_view offer) {
  if (take_member(offer, ';') != "permessage-deflate") return std::nullopt;
  int bits = 0;
  unsigned seen = 0;
  while (!offer.empty()) {
    std::string_view value = take_member(offer, ';');
    const bool has_value = value.find('=') != std::string_view::npos;
    const std::string_view name = take_member(value, '=');
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    const auto bits_given = number(value, MAX_WBITS);
    const bool is_window = bits_given && *bits_given >= 8;
    constexpr std::string_view kNames[] = {"server_no_context_takeover", "client_no_context_takeover",
                                           "server_max_window_bits", "client_max_window_bits"};
    const auto place =
        static_cast<unsigned>(std::find(std::begin(kNames), std::end(kNames), name) - std::begin(kNames));
    if (place == std::size(kNames) || (seen >> place & 1U) != 0) return std::nullopt;
    seen |= 1U << place;
    if (place < 2 && has_value) return std::nullopt;
    if (place == 2 && (!is_window || *bits_given == 8)) return std::nullopt;
    if (place == 3 && has_value && !is_window) return std::nullopt;
    if (place == 2) bits = static_cast<int>(*bits_given);
  }
  return bits;
}

}  // namespace detail

inline std::unique_ptr<WebSocketCoding> deflate_messages(std::string_view extensions, std::string& answer) {
  while (!extensions.empty()) {
    const std::optional<int> bits = detail::window_of_offer(detail::take_member(extensions, ','));
    if (!bits) continue;
    answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    if (*bits > 0) answer += "; server_max_window_bits=" + std::to_string(*bits);
    return std::make_unique<DeflatedMessages>(*bits > 0 ? *bits : MAX_WBITS);
  }
  return nullptr;
}

}  // namespace sluice::kit
