// Frames by themselves: RFC 9113 sections 3 to 6, RFC 9218 section 7.
#include "conformance/http2_case.h"

namespace sluice::conformance {
namespace {

using enum Level;
using test::Http2Wire;

constexpr auto kNone = static_cast<std::uint8_t>(NGHTTP2_FLAG_NONE);
constexpr auto kAck = static_cast<std::uint8_t>(NGHTTP2_FLAG_ACK);
constexpr auto kEnds = static_cast<std::uint8_t>(NGHTTP2_FLAG_END_STREAM);
constexpr auto kEndsBlock = static_cast<std::uint8_t>(NGHTTP2_FLAG_END_HEADERS);
constexpr auto kPadded = static_cast<std::uint8_t>(NGHTTP2_FLAG_PADDED);
constexpr auto kPriorityUpdate = static_cast<std::uint8_t>(NGHTTP2_PRIORITY_UPDATE);

// One frame, as it stands.
auto frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string payload = "") {
  return [=](Http2Wire&) { return Http2Wire::frame(type, flags, id, payload); };
}
// The same behind a request without an end.
auto in_request(std::uint8_t type, std::uint8_t flags, std::string payload) {
  return [=](Http2Wire& wire) {
    return wire.headers(1, wire.ask("/echo/", "POST"), false) + Http2Wire::frame(type, flags, 1, payload);
  };
}
std::string setting(std::uint8_t name, std::uint32_t value) {
  std::string text = {0, static_cast<char>(name)};
  for (int i = 3; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}
auto settings(const std::string& payload) {
  return frame(NGHTTP2_SETTINGS, kNone, 0, payload);
}
auto raw(std::string bytes) {
  return [=](Http2Wire&) { return bytes; };
}
std::string zeros(std::size_t size) {
  return std::string(size, '\0');
}

std::vector<Http2Case> preface_cases() {
  return {
      {must, "9113 3.4", "a preface and nothing else", raw(""), "settings 1"},
      {must, "9113 3.4", "no preface", raw("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + zeros(9)),
       "goaway PROTOCOL_ERROR closed", true},
      {must, "9113 3.4", "the first frame is not SETTINGS",
       [](Http2Wire&) {
         return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Http2Wire::frame(NGHTTP2_PING, kNone, 0, "12345678");
       },
       "goaway PROTOCOL_ERROR", true},
  };
}

std::vector<Http2Case> size_cases() {
  return {
      {must, "9113 4.2", "DATA above 16 KiB", in_request(NGHTTP2_DATA, kNone, std::string(16'385, 'x')),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 4.2", "DATA of 16 KiB", in_request(NGHTTP2_DATA, kEnds, std::string(16'384, 'x')),
       "1: 200 | 1: size 16384"},
      {must, "9113 4.2", "HEADERS above 16 KiB", frame(NGHTTP2_HEADERS, kEndsBlock | kEnds, 1, zeros(16'385)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 4.2", "an unknown frame above 16 KiB", frame(0xf0, kNone, 0, zeros(16'385)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.3", "PRIORITY of four bytes", frame(NGHTTP2_PRIORITY, kNone, 1, zeros(4)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.4", "RST_STREAM of three bytes", in_request(NGHTTP2_RST_STREAM, kNone, zeros(3)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.4", "RST_STREAM of five bytes", in_request(NGHTTP2_RST_STREAM, kNone, zeros(5)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.5", "SETTINGS of five bytes", settings(zeros(5)), "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.5", "an acknowledgement with a payload", frame(NGHTTP2_SETTINGS, kAck, 0, setting(1, 0)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.7", "PING of seven bytes", frame(NGHTTP2_PING, kNone, 0, zeros(7)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.7", "PING of nine bytes", frame(NGHTTP2_PING, kNone, 0, zeros(9)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.8", "GOAWAY of seven bytes", frame(NGHTTP2_GOAWAY, kNone, 0, zeros(7)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.9", "WINDOW_UPDATE of three bytes", frame(NGHTTP2_WINDOW_UPDATE, kNone, 0, zeros(3)),
       "goaway FRAME_SIZE_ERROR"},
      {must, "9113 6.9", "WINDOW_UPDATE of five bytes", frame(NGHTTP2_WINDOW_UPDATE, kNone, 0, zeros(5)),
       "goaway FRAME_SIZE_ERROR"},
  };
}

std::vector<Http2Case> connection_cases_of_frames() {
  return {
      {must, "9113 4.1", "a frame of an unknown type", frame(0xf0, 0xff, 0, "hello"), "settings 1"},
      {must, "9113 4.1", "one on a stream that is idle", frame(0xf0, 0xff, 77, "hello"), "settings 1"},
      {must, "9113 4.1", "flags without a meaning", frame(NGHTTP2_PING, 0xfe, 0, "12345678"), "pong 1"},
      {must, "9113 4.1", "the reserved bit of a stream's number",
       frame(NGHTTP2_PING, kNone, 0x80000000U, "12345678"), "pong 1"},
      {must, "9113 6.1", "DATA on stream 0", frame(NGHTTP2_DATA, kEnds, 0, "x"), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.2", "HEADERS on stream 0", frame(NGHTTP2_HEADERS, kEndsBlock, 0, "\x82"),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.3", "PRIORITY on stream 0", frame(NGHTTP2_PRIORITY, kNone, 0, zeros(5)),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.4", "RST_STREAM on stream 0", frame(NGHTTP2_RST_STREAM, kNone, 0, zeros(4)),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.5", "SETTINGS on a stream", frame(NGHTTP2_SETTINGS, kNone, 1), "goaway PROTOCOL_ERROR"},
      {must, "9113 8.4", "PUSH_PROMISE from a client",
       frame(NGHTTP2_PUSH_PROMISE, kEndsBlock, 1, zeros(4) + "\x82"), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.7", "PING on a stream", frame(NGHTTP2_PING, kNone, 1, zeros(8)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.7", "PING is answered", frame(NGHTTP2_PING, kNone, 0, "12345678"), "pong 1"},
      {must, "9113 6.7", "an acknowledgement is not", frame(NGHTTP2_PING, kAck, 0, "12345678"), "pong 0"},
      {must, "9113 6.8", "GOAWAY on a stream", frame(NGHTTP2_GOAWAY, kNone, 1, zeros(8)),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.10", "CONTINUATION without HEADERS", frame(NGHTTP2_CONTINUATION, kEndsBlock, 1, "\x82"),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.10", "CONTINUATION on stream 0", frame(NGHTTP2_CONTINUATION, kEndsBlock, 0, "\x82"),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.1", "padding as long as the frame", in_request(NGHTTP2_DATA, kPadded, "\x06hello"),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.1", "padding is no content",
       in_request(NGHTTP2_DATA, kPadded | kEnds, "\x03hello" + zeros(3)), "1: 200 | 1: size 5"},
      {must, "9113 6.1", "a frame of padding alone",
       in_request(NGHTTP2_DATA, kPadded | kEnds, "\x03" + zeros(3)), "1: 200 | 1: size 0"},
      {must, "9113 6.2", "padding of HEADERS as long as the frame",
       frame(NGHTTP2_HEADERS, kPadded | kEndsBlock, 1, "\x06hello"), "goaway PROTOCOL_ERROR"},
  };
}

std::vector<Http2Case> settings_cases() {
  return {
      {must, "9113 6.5.3", "SETTINGS are acknowledged", settings(""), "settings 2"},
      {must, "9113 6.5.2", "an unknown setting", settings(setting(0x77, 5)), "settings 2"},
      {must, "9113 6.5.2", "ENABLE_PUSH of 2", settings(setting(2, 2)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.5.2", "ENABLE_PUSH of 1", settings(setting(2, 1)), "settings 2"},
      {must, "9113 6.5.2", "a window above 2^31-1", settings(setting(4, 0x80000000U)),
       "goaway FLOW_CONTROL_ERROR"},
      {must, "9113 6.5.2", "frames below 16 KiB", settings(setting(5, 16'383)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.5.2", "frames above 16 MiB", settings(setting(5, 0x1000000)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.5.2", "larger frames", settings(setting(5, 0xffffff)), "settings 2"},
      {must, "9113 6.5.2", "no header table", settings(setting(1, 0)), "settings 2"},
      {must, "9113 6.5.2", "a huge header table", settings(setting(1, 0xffffffffU)), "settings 2"},
      {must, "9218 2.1", "NO_RFC7540_PRIORITIES of 2", settings(setting(9, 2)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.9.2", "a window that grows beyond 2^31-1",
       [](Http2Wire& wire) {
         return wire.headers(1, wire.ask("/echo/", "POST"), false) +
                Http2Wire::window_update(1, 0x7fffffff - 65'535) +
                Http2Wire::frame(NGHTTP2_SETTINGS, kNone, 0, setting(4, 65'536));
       },
       "goaway FLOW_CONTROL_ERROR"},
  };
}

std::vector<Http2Case> window_cases() {
  return {
      {must, "9113 6.9", "a window opened by 0", raw(Http2Wire::window_update(0, 0)), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.9", "a stream's window opened by 0", in_request(NGHTTP2_WINDOW_UPDATE, kNone, zeros(4)),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.9.1", "a window above 2^31-1", raw(Http2Wire::window_update(0, 0x7fffffff)),
       "goaway FLOW_CONTROL_ERROR"},
      {must, "9113 6.9.1", "a stream's window above 2^31-1",
       in_request(NGHTTP2_WINDOW_UPDATE, kNone, "\x7f\xff\xff\xff"), "1: reset FLOW_CONTROL_ERROR"},
      {must, "9113 6.9", "a window that is opened", raw(Http2Wire::window_update(0, 1000)), "settings 1"},
  };
}

std::vector<Http2Case> priority_cases() {
  return {
      {must, "9218 7.1", "PRIORITY_UPDATE before its request",
       frame(kPriorityUpdate, kNone, 0, zeros(3) + "\x01u=0"), "settings 1"},
      {must, "9218 7.1", "PRIORITY_UPDATE on a stream", frame(kPriorityUpdate, kNone, 1, zeros(3) + "\x01u=0"),
       "goaway PROTOCOL_ERROR"},
      {must, "9218 7.1", "PRIORITY_UPDATE of stream 0", frame(kPriorityUpdate, kNone, 0, zeros(4) + "u=0"),
       "goaway PROTOCOL_ERROR"},
      {must, "9218 7.1", "PRIORITY_UPDATE of three bytes", frame(kPriorityUpdate, kNone, 0, zeros(3)),
       "goaway FRAME_SIZE_ERROR"},
      {should, "9218 4", "one that says nonsense", frame(kPriorityUpdate, kNone, 0, zeros(3) + "\x01;;u=9,=,"),
       "settings 1"},
      {ours, "9113 5.3.2", "PRIORITY of an idle stream", frame(NGHTTP2_PRIORITY, kNone, 7, zeros(5)),
       "settings 1"},
  };
}

}  // namespace

std::vector<Http2Case> http2_frame_cases() {
  std::vector<Http2Case> all;
  for (const auto& part : {preface_cases(), size_cases(), connection_cases_of_frames(), settings_cases(),
                           window_cases(), priority_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace sluice::conformance
