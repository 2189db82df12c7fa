// Field lines, their number and their length: RFC 9110 section 5, RFC 9112 section 5.
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;
using namespace std::string_literals;

std::string with(std::string_view field) {
  return "GET /ten.txt HTTP/1.1\r\nHost: test\r\n" + std::string(field) + "\r\n\r\n";
}
std::string many(int count) {
  std::string text = "GET /ten.txt HTTP/1.1\r\nHost: test\r\n";
  for (int i = 0; i < count; ++i) text += "X-" + std::to_string(i) + ": value\r\n";
  return text + "\r\n";
}

}  // namespace

std::vector<Case> field_cases() {
  return {
      {must, "9110 5.1", "names have no case",
       lines({"GET /ten.txt HTTP/1.1", "hOsT: test", "rANGE: bytes=0-0"}), "206 | of /ten.txt"},
      {must, "9112 5.1", "no space before the colon", with("X : a"), "400 | closes"},
      {must, "9112 5.1", "no tab before the colon", with("X\t: a"), "400 | closes"},
      {must, "9112 5.1", "no space before the colon of Host", lines({"GET /ten.txt HTTP/1.1", "Host : test"}),
       "400 | closes"},
      {must, "9112 5.1", "no space before the colon of Content-Length", with("Content-Length : 5"),
       "400 | closes"},
      {must, "9112 5.1", "no space before the colon of Transfer-Encoding", with("Transfer-Encoding : chunked"),
       "400 | closes"},
      {must, "9112 5.1", "white space around a value is not part of it", with("Range: \t bytes=0-0 \t "),
       "206 | of /ten.txt"},
      {must, "9112 5.1", "no white space before a value", with("Range:bytes=0-0"), "206 | of /ten.txt"},
      {must, "9110 5.5", "an empty value", with("X:"), "200 | of /ten.txt"},
      {must, "9110 5.5", "a value of white space alone", with("X: \t "), "200 | of /ten.txt"},
      {must, "9110 5.5", "bytes above ASCII", with("X: caf\xc3\xa9 \xff"), "200 | of /ten.txt"},
      {must, "9110 5.5", "every visible byte", with("X: !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"),
       "200 | of /ten.txt"},
      {must, "9110 5.5", "a tab within a value", with("X: a\tb"), "200 | of /ten.txt"},
      {ours, "9112 5.2", "obs-fold by a space", with("X: a\r\n b"), "400 | closes"},
      {ours, "9112 5.2", "obs-fold by a tab", with("X: a\r\n\tb"), "400 | closes"},
      {ours, "9112 5.2", "obs-fold that hides a length", with("X: a\r\n Content-Length: 5"), "400 | closes"},
      {ours, "9112 5.2", "obs-fold of nothing", with("X: a\r\n "), "400 | closes"},
      {ours, "9112 2.2", "bare LF ends a field", with("X: a\nY: b"), "400 | closes"},
      {ours, "9112 2.2", "bare LF ends the head", "GET /ten.txt HTTP/1.1\r\nHost: test\r\n\n", "400 | closes"},
      {must, "9112 2.2", "bare CR within a value", with("X: a\rb"), "400 | closes"},
      {must, "9112 2.2", "bare CR within a name", with("X\rY: b"), "400 | closes"},
      {must, "9112 2.2", "CR CR LF", with("X: a\r"), "400 | closes"},
      {must, "9110 5.5", "NUL in a value", with("X: a\0b"s), "400 | closes"},
      {ours, "9110 5.5", "a control byte in a value", with("X: a\x01"), "400 | closes"},
      {ours, "9110 5.5", "a vertical tab in a value", with("X: a\vb"), "400 | closes"},
      {ours, "9110 5.5", "DEL in a value", with("X: a\x7f"), "400 | closes"},
      {must, "9110 5.1", "NUL in a name", with("X\0Y: a"s), "400 | closes"},
      {ours, "9110 5.1", "no name", with(": a"), "400 | closes"},
      {ours, "9110 5.1", "no colon", with("Range"), "400 | closes"},
      {ours, "9110 5.1", "a space in a name", with("X Y: a"), "400 | closes"},
      {ours, "9110 5.1", "parentheses in a name", with("X(Y): a"), "400 | closes"},
      {ours, "9110 5.1", "a slash in a name", with("X/Y: a"), "400 | closes"},
      {ours, "9110 5.1", "an at sign in a name", with("X@Y: a"), "400 | closes"},
      {ours, "9110 5.1", "a quote in a name", with("\"X\": a"), "400 | closes"},
      {ours, "9110 5.1", "a byte above ASCII in a name", with("X\xc3\xa9: a"), "400 | closes"},
      {must, "9110 5.1", "every byte of a token in a name", with("!#$%&'*+-.^_`|~09azAZ: a"),
       "200 | of /ten.txt"},
      {must, "9110 5.1", "a name with an underscore is another", with("Content_Length: 5"),
       "200 | of /ten.txt"},
      {should, "9110 5.4", "a field of 7 KiB", with("X: " + std::string(7 * 1024, 'x')), "200 | of /ten.txt"},
      {must, "9110 5.4", "a field of 100 KiB", with("X: " + std::string(100 * 1024, 'x')), "400,431 | closes"},
      {should, "6585 5", "says that fields are too large", with("X: " + std::string(100 * 1024, 'x')),
       "431 | closes"},
      {must, "9110 5.4", "a name of 100 KiB", with(std::string(100 * 1024, 'x') + ": a"), "400,431 | closes"},
      {should, "9110 5.4", "60 fields", many(60), "200 | of /ten.txt"},
      {ours, "6585 5", "5,000 fields", many(5'000), "431 | closes"},
      {ours, "6585 5", "60,000 fields", many(60'000), "431 | closes"},
      // Fields without a meaning here, or with a value that cannot be understood.
      {must, "9110 5.1", "unknown fields are ignored", with("X-Unknown: anything"), "200 | of /ten.txt"},
      {must, "9110 7.8", "Upgrade may be ignored", with("Connection: upgrade\r\nUpgrade: h2c"),
       "200 | of /ten.txt | keeps"},
      {must, "9110 7.8", "an Upgrade to a web socket may be ignored",
       with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"),
       "200 | of /ten.txt | keeps"},
      {must, "9110 7.8", "HTTP2-Settings may be ignored",
       with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
       "200 | of /ten.txt"},
      {must, "9110 10.1.4", "TE may be ignored", with("Connection: TE\r\nTE: trailers, deflate;q=0.5"),
       "200 | of /ten.txt"},
      {must, "9110 12.5.1", "an Accept that nothing fits may be ignored", with("Accept: image/webp"),
       "200,406"},
      {must, "9110 12.5.2", "Accept-Charset is ignored", with("Accept-Charset: utf-16"), "200 | of /ten.txt"},
      {must, "9110 12.5.4", "Accept-Language is ignored", with("Accept-Language: fr;q=1, *;q=0"),
       "200 | of /ten.txt"},
      {ours, "9110 10.1.1", "an expectation that nobody knows", with("Expect: wonders"), "417"},
      {must, "9110 10.1.1", "100-continue has no case", with("Expect: 100-Continue"), "200 | of /ten.txt"},
      {must, "9110 10.1.1", "100-continue in HTTP/1.0 is ignored",
       lines({"GET /ten.txt HTTP/1.0", "Expect: 100-continue"}), "200 | of /ten.txt"},
      {must, "9111 5.2.1", "a request's Cache-Control is no concern of an origin",
       with("Cache-Control: no-cache, no-store"), "200 | of /ten.txt"},
      {ours, "9111 5.2.1", "only-if-cached, too", with("Cache-Control: only-if-cached"), "200 | of /ten.txt"},
      {must, "6265 5.4", "cookies are ignored", with("Cookie: a=b; c=\"d\"; =;;"), "200 | of /ten.txt"},
      {must, "9110 11.6.2", "Authorization is ignored where none is asked", with("Authorization: Basic !!"),
       "200 | of /ten.txt"},
      // Fields that every answer has.
      {must, "9110 6.6.1", "Date in a 404", get("/nothing"), "404 | Date"},
      {must, "9110 6.6.1", "Date in a 400", "nonsense\r\n\r\n", "400 | Date | closes"},
      {ours, "9110 10.2.4", "Server without a version", get("/ten.txt"), "200 | Server: sluice"},
  };
}

}  // namespace sluice::conformance
