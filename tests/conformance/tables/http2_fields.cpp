// Fields of requests: RFC 9113 sections 8.2 and 8.3, and the rules of HTTP for targets and hosts.
#include "conformance/http2_case.h"

namespace sluice::conformance {
namespace {

using enum Level;
using test::Fields;
using test::Http2Wire;

using Frames = std::function<std::string(Http2Wire&)>;

// A malformed request is a stream error, before which the server may answer (RFC 9113 section 8.1.1).
constexpr const char* kMalformed = "1: 400, reset PROTOCOL_ERROR";

Frames ask(Fields fields) {
  return [=](Http2Wire& wire) { return wire.headers(1, fields); };
}
// The usual request with more fields.
Frames with(Fields more) {
  return [=](Http2Wire& wire) { return wire.headers(1, wire.ask("/ten.txt", "GET", more)); };
}
Frames path(std::string target, std::string method = "GET") {
  return [=](Http2Wire& wire) { return wire.headers(1, wire.ask(target, method)); };
}
// The usual request without a pseudo-field, or with another value.
Frames changed(std::string name, std::string value) {
  return [=](Http2Wire& wire) {
    Fields fields;
    for (auto& field : wire.ask("/ten.txt")) {
      if (field.first != name) {
        fields.push_back(field);
      } else if (value != "-") {
        fields.emplace_back(name, value);
      }
    }
    return wire.headers(1, fields);
  };
}
Frames before(Fields first) {
  return [=](Http2Wire& wire) {
    Fields fields = first;
    for (auto& field : wire.ask("/ten.txt")) fields.push_back(field);
    return wire.headers(1, fields);
  };
}

std::vector<Http2Case> pseudo_cases() {
  return {
      {must, "9113 8.3.1", "all pseudo-fields", with({}), "1: 200 | 1: size 10"},
      {must, "9113 8.3.1", "no method", changed(":method", "-"), kMalformed},
      {must, "9113 8.3.1", "no scheme", changed(":scheme", "-"), kMalformed},
      {must, "9113 8.3.1", "no path", changed(":path", "-"), kMalformed},
      {must, "9113 8.3.1", "an empty path", changed(":path", ""), kMalformed},
      {must, "9113 8.3.1", "no authority, but a host",
       [](Http2Wire& wire) {
         return wire.headers(1, {{":method", "GET"},
                                 {":scheme", wire.secure ? "https" : "http"},
                                 {":path", "/ten.txt"},
                                 {"host", "a"}});
       },
       "1: 200"},
      {must, "9113 8.3.1", "neither an authority nor a host", changed(":authority", "-"), kMalformed},
      {must, "9113 8.3.1", "an empty authority", changed(":authority", ""), kMalformed},
      {must, "9113 8.3.1", "user information in the authority", changed(":authority", "me@a"), kMalformed},
      {should, "9113 8.3.1", "another host than the authority", with({{"host", "b"}}), kMalformed},
      {must, "9113 8.3.1", "the same host", with({{"host", "a"}}), "1: 200"},
      {must, "9113 8.3", "a pseudo-field twice", with({{":path", "/"}}), kMalformed},
      {must, "9113 8.3", "the method twice", before({{":method", "GET"}}), kMalformed},
      {must, "9113 8.3", "an unknown pseudo-field", before({{":x", "y"}}), kMalformed},
      {must, "9113 8.3", "one of answers", before({{":status", "200"}}), kMalformed},
      {must, "9113 8.3", "a pseudo-field behind a field", before({{"accept", "*/*"}}), kMalformed},
      {must, "8441 4", "a protocol that was not offered", before({{":protocol", "websocket"}}), kMalformed},
      {must, "9113 8.5", "CONNECT with a path", path("/", "CONNECT"), kMalformed},
      {ours, "9113 8.5", "CONNECT", ask({{":method", "CONNECT"}, {":authority", "a:443"}}), "1: 405"},
      {must, "9113 8.3.1", "another scheme", changed(":scheme", "ftp"), kMalformed},
      {must, "9113 8.3.1", "an empty scheme", changed(":scheme", ""), kMalformed},
      {must, "9110 9.1", "a method with a blank", changed(":method", "G T"), kMalformed},
      {must, "9110 9.1", "an empty method", changed(":method", ""), kMalformed},
      {must, "9110 9.1", "methods are case-sensitive", changed(":method", "get"), "1: 405, 501"},
      {ours, "9110 9.1", "an unknown method", changed(":method", "BREW"), "1: 405, 501"},
  };
}

std::vector<Http2Case> regular_cases() {
  return {
      {must, "9113 8.2.1", "a capital letter in a name", with({{"Accept", "*/*"}}), kMalformed},
      {must, "9113 8.2.1", "a blank in a name", with({{"x y", "1"}}), kMalformed},
      {must, "9113 8.2.1", "a colon in a name", with({{"x:y", "1"}}), kMalformed},
      {must, "9113 8.2.1", "an empty name", with({{"", "1"}}), kMalformed},
      {must, "9113 8.2.1", "a control byte in a name", with({{std::string("x\x01y"), "1"}}), kMalformed},
      {must, "9113 8.2.1", "a byte above 0x7f in a name", with({{"x\xe4", "1"}}), kMalformed},
      {must, "9113 8.2.1", "NUL in a value", with({{"x", std::string("a\0b", 3)}}), kMalformed},
      {must, "9113 8.2.1", "CR in a value", with({{"x", "a\rb"}}), kMalformed},
      {must, "9113 8.2.1", "LF in a value", with({{"x", "a\nb"}}), kMalformed},
      {must, "9113 8.2.1", "a line that is smuggled", with({{"x", "a\r\nhost: b"}}), kMalformed},
      {must, "9113 8.2.1", "a blank before a value", with({{"x", " a"}}), kMalformed},
      {must, "9113 8.2.1", "a tab behind a value", with({{"x", "a\t"}}), kMalformed},
      {must, "9110 5.5", "a blank within a value", with({{"x", "a b"}}), "1: 200"},
      {must, "9110 5.5", "an empty value", with({{"x", ""}}), "1: 200"},
      {must, "9110 5.5", "a byte above 0x7f in a value", with({{"x", "\xe4"}}), "1: 200"},
      {must, "9113 8.2.2", "Connection", with({{"connection", "close"}}), kMalformed},
      {must, "9113 8.2.2", "Keep-Alive", with({{"keep-alive", "timeout=5"}}), kMalformed},
      {must, "9113 8.2.2", "Proxy-Connection", with({{"proxy-connection", "keep-alive"}}), kMalformed},
      {must, "9113 8.2.2", "Transfer-Encoding", with({{"transfer-encoding", "chunked"}}), kMalformed},
      {must, "9113 8.2.2", "Upgrade", with({{"upgrade", "h2c"}}), kMalformed},
      {must, "9113 8.2.2", "TE: trailers", with({{"te", "trailers"}}), "1: 200"},
      {must, "9113 8.2.2", "another TE", with({{"te", "gzip"}}), kMalformed},
      {must, "9113 8.2.2", "TE with more", with({{"te", "trailers, gzip"}}), kMalformed},
      {must, "9113 8.2.3", "cookies in several fields", with({{"cookie", "a=1"}, {"cookie", "b=2"}}), "1: 200"},
      {must, "9110 8.6", "a length twice", with({{"content-length", "0"}, {"content-length", "0"}}),
       kMalformed},
      {must, "9110 8.6", "a length that is no number", with({{"content-length", "x"}}), kMalformed},
      {must, "9110 8.6", "a length below 0", with({{"content-length", "-1"}}), kMalformed},
      {must, "9110 7.2", "two hosts", with({{"host", "a"}, {"host", "a"}}), kMalformed},
      {ours, "9113 10.5.1", "too many fields", with(Fields(101, {"x", "y"})), "1: 431"},
      {ours, "9113 10.5.1", "fields that are too long",
       [](Http2Wire& wire) {
         const std::string block = wire.block(wire.ask("/ten.txt", "GET", {{"x", std::string(30'000, '!')}}));
         return Http2Wire::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, block.substr(0, 16'000)) +
                Http2Wire::frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, block.substr(16'000));
       },
       "1: 431"},
      {ours, "9113 10.5.1", "a list of fields far above the limit",
       [](Http2Wire& wire) {
         const Fields much(40, {"x", std::string(3000, 'x')});
         return wire.headers(1, wire.ask("/ten.txt", "GET", much));
       },
       "goaway ENHANCE_YOUR_CALM"},
      {must, "9218 4", "a priority", with({{"priority", "u=1, i"}}), "1: 200"},
      {must, "9218 4", "a priority without sense", with({{"priority", "u=77,,;;"}}), "1: 200"},
  };
}

std::vector<Http2Case> target_cases() {
  return {
      {must, "9110 7.1", "a target that leaves its root", path("/../ten.txt"), "1: 404"},
      {must, "3986 5.2.4", "dot segments", path("/x/../ten.txt"), "1: 200 | 1: size 10"},
      {must, "3986 2.1", "an encoded letter", path("/%74en.txt"), "1: 200 | 1: size 10"},
      {must, "3986 2.1", "a broken encoding", path("/%g"), "1: 400"},
      {must, "3986 2.1", "an encoded NUL", path("/a%00"), "1: 400"},
      {must, "9113 8.3.1", "a target with a fragment", path("/ten.txt#a"), kMalformed},
      {must, "9113 8.3.1", "a target with a blank", path("/a b"), kMalformed},
      {must, "9113 8.3.1", "a target without a slash", path("ten.txt"), kMalformed},
      {must, "9113 8.3.1", "an absolute target", path("http://a/ten.txt"), kMalformed},
      {must, "9113 8.3.1", "OPTIONS *", path("*", "OPTIONS"), "1: 204"},
      {must, "9113 8.3.1", "GET *", path("*"), kMalformed},
      {must, "9110 4.1", "a query", path("/ten.txt?x=y"), "1: 200 | 1: size 10"},
      {must, "9110 4.1", "a long target", path("/" + std::string(9000, 'x')), "1: 414"},
      {must, "9110 15.5.5", "a target of nothing", path("/nothing"), "1: 404"},
  };
}

}  // namespace

std::vector<Http2Case> http2_field_cases() {
  std::vector<Http2Case> all;
  for (const auto& part : {pseudo_cases(), regular_cases(), target_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace sluice::conformance
