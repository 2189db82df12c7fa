// Streams and their states, and blocks of fields: RFC 9113 sections 4.3, 5.1 and 8.1, RFC 7541.
#include "conformance/http2_case.h"

namespace sluice::conformance {
namespace {

using enum Level;
using test::Fields;
using test::Http2Wire;

constexpr auto kNone = static_cast<std::uint8_t>(NGHTTP2_FLAG_NONE);
constexpr auto kEnds = static_cast<std::uint8_t>(NGHTTP2_FLAG_END_STREAM);
constexpr auto kEndsBlock = static_cast<std::uint8_t>(NGHTTP2_FLAG_END_HEADERS);

using Frames = std::function<std::string(Http2Wire&)>;

Frames raw(std::string bytes) {
  return [=](Http2Wire&) { return bytes; };
}
// A request of stream 1 without an end, and then these bytes.
Frames behind_post(std::string bytes) {
  return [=](Http2Wire& wire) { return wire.headers(1, wire.ask("/echo/", "POST"), false) + bytes; };
}
// A whole request of stream 1, and then these bytes.
Frames behind_get(std::string bytes) {
  return [=](Http2Wire& wire) { return wire.get(1, "/ten.txt") + bytes; };
}
// HEADERS with this block as it stands.
Frames block(const std::string& bytes) {
  return raw(Http2Wire::frame(NGHTTP2_HEADERS, kEndsBlock | kEnds, 1, bytes));
}
// The block of a request in three frames, with these bytes behind the first one.
Frames split(std::string between, std::uint32_t later_id = 1) {
  return [=](Http2Wire& wire) {
    const std::string whole = wire.block(wire.ask("/ten.txt"));
    return Http2Wire::frame(NGHTTP2_HEADERS, kEnds, 1, whole.substr(0, 3)) + between +
           Http2Wire::frame(NGHTTP2_CONTINUATION, kNone, later_id, whole.substr(3, 2)) +
           Http2Wire::frame(NGHTTP2_CONTINUATION, kEndsBlock, later_id, whole.substr(5));
  };
}
Frames request_on(std::uint32_t id) {
  return [=](Http2Wire& wire) { return wire.get(id, "/ten.txt"); };
}
// One behind the other, because the wire compresses in this order.
Frames requests_on(std::uint32_t first, std::uint32_t second) {
  return [=](Http2Wire& wire) {
    std::string both = wire.get(first, "/ten.txt");
    both += wire.get(second, "/ten.txt");
    return both;
  };
}
Frames with_trailers(const Fields& trailers, bool ends) {
  return [=](Http2Wire& wire) {
    std::string all = wire.headers(1, wire.ask("/echo/", "POST"), false);
    all += Http2Wire::data(1, "hello", false);
    all += wire.headers(1, trailers, ends);
    return all;
  };
}
Frames sized(const std::string& said, const std::string& content) {
  return [=](Http2Wire& wire) {
    return wire.headers(1, wire.ask("/echo/", "POST", {{"content-length", said}}), false) +
           Http2Wire::data(1, content);
  };
}

std::vector<Http2Case> state_cases() {
  return {
      {must, "9113 5.1", "DATA on an idle stream", raw(Http2Wire::data(1, "x")), "goaway PROTOCOL_ERROR"},
      {must, "9113 5.1", "RST_STREAM on an idle stream", raw(Http2Wire::reset(1)), "goaway PROTOCOL_ERROR"},
      {must, "9113 5.1", "WINDOW_UPDATE on an idle stream", raw(Http2Wire::window_update(1, 10)),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 5.1", "DATA behind the end", behind_get(Http2Wire::data(1, "x")), "goaway STREAM_CLOSED"},
      {must, "9113 5.1", "HEADERS behind the end", requests_on(1, 1), "goaway STREAM_CLOSED"},
      {must, "9113 5.1", "WINDOW_UPDATE behind the end", behind_get(Http2Wire::window_update(1, 10)), "1: 200"},
      {must, "9113 5.1", "RST_STREAM behind the end", behind_get(Http2Wire::reset(1)), "1: 200, nothing"},
      {must, "9113 5.1", "PRIORITY behind the end",
       behind_get(Http2Wire::frame(NGHTTP2_PRIORITY, kNone, 1, std::string("\0\0\0\0\1", 5))), "1: 200"},
      {must, "9113 5.1.1", "a stream with an even number", request_on(2), "goaway PROTOCOL_ERROR"},
      {must, "9113 5.1.1", "a number below an earlier one", requests_on(5, 3),
       "goaway PROTOCOL_ERROR STREAM_CLOSED"},
      {must, "9113 5.1.1", "numbers may be left out", requests_on(1, 9), "1: 200 | 9: 200"},
      {must, "9113 5.1.2", "more streams than are allowed",
       [](Http2Wire& wire) {
         std::string all;
         for (std::uint32_t id = 1; id <= 2 * 128 + 1; id += 2)
           all += wire.headers(id, wire.ask("/echo/", "POST"), false);
         return all;
       },
       "257: reset REFUSED_STREAM"},
      {must, "9113 8.1", "a reset request is not answered", behind_post(Http2Wire::reset(1)), "1: nothing"},
      {must, "9113 8.1", "a body of several frames",
       behind_post(Http2Wire::data(1, "he", false) + Http2Wire::data(1, "", false) + Http2Wire::data(1, "llo")),
       "1: 200 | 1: size 5"},
      {must, "9113 8.1", "a body that ends with an empty frame",
       behind_post(Http2Wire::data(1, "hello", false) + Http2Wire::data(1, "")), "1: 200 | 1: size 5"},
      {must, "9113 6.9", "DATA beyond the stream's window",
       [](Http2Wire& wire) {
         std::string all = wire.headers(1, wire.ask("/ten.txt", "POST", {{"content-length", "900000"}}), false);
         for (int i = 0; i < 5; ++i) all += Http2Wire::data(1, std::string(16'000, 'x'), false);
         return all;
       },
       "1: 405, reset FLOW_CONTROL_ERROR"},
  };
}

std::vector<Http2Case> block_cases() {
  return {
      {must, "9113 4.3", "a block in several frames", split(""), "1: 200 | 1: size 10"},
      {must, "9113 6.10", "another frame within a block",
       split(Http2Wire::frame(NGHTTP2_PING, kNone, 0, "12345678")), "goaway PROTOCOL_ERROR"},
      {must, "9113 5.5", "an unknown frame within a block", split(Http2Wire::frame(0xf0, kNone, 0, "x")),
       "goaway PROTOCOL_ERROR"},
      {must, "9113 6.10", "a block that goes on in another stream", split("", 3), "goaway PROTOCOL_ERROR"},
      {must, "9113 6.2", "HEADERS within a block",
       split(Http2Wire::frame(NGHTTP2_HEADERS, kEndsBlock, 1, "\x82")), "goaway PROTOCOL_ERROR"},
      {must, "7541 2.3.3", "an index of no table", block("\xff\x80\x01"), "goaway COMPRESSION_ERROR"},
      {must, "7541 6.1", "the index 0", block("\x80"), "goaway COMPRESSION_ERROR"},
      {must, "7541 5.1", "a number without an end", block("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
       "goaway COMPRESSION_ERROR"},
      {must, "7541 5.2", "a text without an end", block("\x82\x40\x7fxyz"), "goaway COMPRESSION_ERROR"},
      {must, "7541 5.2", "Huffman's padding of zeros", block(std::string("\x40\x01x\x81\x00", 5)),
       "goaway COMPRESSION_ERROR"},
      {must, "7541 5.2", "Huffman's padding of eight bits", block("\x40\x01x\x82\x1f\xff"),
       "goaway COMPRESSION_ERROR"},
      {must, "7541 4.2", "a table above the limit", block("\x3f\xe2\x1f\x82"), "goaway COMPRESSION_ERROR"},
      {must, "7541 4.2", "a table that changes behind a field", block("\x82\x20"), "goaway COMPRESSION_ERROR"},
      {must, "7541 4.2", "a table of size 0",
       [](Http2Wire& wire) {
         return Http2Wire::frame(
             NGHTTP2_HEADERS, kEndsBlock | kEnds, 1,
             std::string("\x20\x82\x41\x01") + "a" + (wire.secure ? "\x87" : "\x86") + "\x44\x08/ten.txt");
       },
       "1: 200"},
  };
}

std::vector<Http2Case> message_cases() {
  return {
      {must, "9113 8.1.1", "less content than was said", sized("6", "hello"), "1: 400, reset PROTOCOL_ERROR"},
      {must, "9113 8.1.1", "more content than was said", sized("4", "hello"), "1: 400, reset PROTOCOL_ERROR"},
      {must, "9113 8.1.1", "as much as was said", sized("5", "hello"), "1: 200 | 1: size 5"},
      {must, "9113 8.1.1", "no content where some was said",
       [](Http2Wire& wire) {
         return wire.headers(1, wire.ask("/echo/", "POST", {{"content-length", "5"}}));
       },
       "1: 400, reset PROTOCOL_ERROR"},
      {must, "9113 8.1", "trailers", with_trailers({{"x-sum", "1"}}, true), "1: 200 | 1: size 5"},
      {must, "9113 8.1", "trailers without an end", with_trailers({{"x-sum", "1"}}, false),
       "1: 400, reset PROTOCOL_ERROR"},
      {must, "9113 8.1", "a pseudo-field in trailers", with_trailers({{":path", "/"}}, true),
       "1: 400, reset PROTOCOL_ERROR"},
      {must, "9113 8.2.1", "a capital letter in trailers", with_trailers({{"X-Sum", "1"}}, true),
       "1: 200, 400, reset PROTOCOL_ERROR"},
      {must, "9110 10.1.1", "100 (Continue)",
       [](Http2Wire& wire) {
         return wire.headers(1, wire.ask("/echo/", "POST", {{"expect", "100-continue"}}), false) +
                Http2Wire::data(1, "x");
       },
       "1: 200 | 1: size 1"},
      {must, "9110 10.1.1", "another expectation",
       [](Http2Wire& wire) {
         return wire.headers(1, wire.ask("/ten.txt", "GET", {{"expect", "x"}}));
       },
       "1: 417"},
  };
}

}  // namespace

std::vector<Http2Case> http2_stream_cases() {
  std::vector<Http2Case> all;
  for (const auto& part : {state_cases(), block_cases(), message_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace sluice::conformance
