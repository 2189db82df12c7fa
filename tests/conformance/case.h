// One rule of HTTP as a line of a table: the bytes to send, and what has to come back.
//
// Both may hold placeholders: "{etag /x}" is the entity tag that the server gives for /x, "{weak etag /x}" the
// same made weak. What has to come back is written in parts, separated by " | ":
//
// - 206: the status, which comes first; alternatives are separated by commas; none is a connection closed.
// - Content-Range: bytes 0-4/10: a field with this value, once.
// - Name ~ text: a field with the text in it.
// - Name: a field that is there; !Name one that is not.
// - of /x: the content is the file's, or the parts of it that Content-Range claims.
// - parts 0-1,5-9: the content ranges of a multipart/byteranges, in order.
// - text 0123: the content itself; begins text is its beginning, has text a part of it, !has text is not, empty
//   is none.
// - version HTTP/1.1: the version of the answer.
// - keeps, closes: whether the connection goes on afterwards; without either, as the answer says.
//
// Whatever stands there, every answer is also judged by the rules that hold for all answers (judge.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::conformance {

enum class Level : std::uint8_t {
  must,    // the RFC says MUST, or there is only one way to read it; or it is what keeps a server safe
  should,  // the RFC says SHOULD, or allows others for a good reason
  ours,    // the RFC leaves it open; what we promise
};

struct Case {
  Level level;
  const char* rule;  // "9112 3.2" is RFC 9112, section 3.2
  const char* name;
  std::string request;
  std::string expected;
};

// A named part of the whole table.
struct Table {
  const char* name;
  std::vector<Case> cases;
};

// Every table there is.
std::vector<Table> all_tables();

using Lines = std::initializer_list<std::string_view>;

// The lines, each with CRLF, and the blank one behind them.
std::string lines(Lines all);
// A request of HTTP/1.1 with a Host.
std::string request(std::string_view method, std::string_view target, Lines fields = {},
                    std::string_view body = "");
inline std::string get(std::string_view target, Lines fields = {}) {
  return request("GET", target, fields);
}
inline std::string head(std::string_view target, Lines fields = {}) {
  return request("HEAD", target, fields);
}

}  // namespace sluice::conformance
