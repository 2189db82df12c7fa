// One rule of HTTP as a line of a table: the bytes to send, and the expected answer.
//
// Both may have placeholders: "{etag /x}" is the entity tag that the server gives for /x, "{weak etag /x}"
// the same made weak. The expectation is written in parts, separated by " | ":
//
// - 206: the status, which comes first. Commas separate alternatives. "none" is a closed connection.
// - Content-Range: bytes 0-4/10: a field with this value, once.
// - Name ~ text: a field that contains the text.
// - Name: a field that is present; !Name: one that is not.
// - of /x: the content is the file's, or the parts of it that Content-Range claims.
// - parts 0-1,5-9: the content ranges of a multipart/byteranges, in order.
// - text 0123: the whole content; "begins text" its beginning, "has text" a part of it, "!has text" no part
//   of it; "empty": no content.
// - version HTTP/1.1: the version of the answer.
// - keeps, closes: whether the connection goes on afterwards. Without either it has to do as the answer says.
//
// Besides, every answer is judged by the rules that hold for all answers (judge.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::conformance {

enum class Level : std::uint8_t {
  must,    // the RFC says MUST, or can be read in only one way; or a server is unsafe without it
  should,  // the RFC says SHOULD, or allows exceptions for a good reason
  ours,    // the RFC leaves it open; this is what sluice promises
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

// All tables.
std::vector<Table> all_tables();

using Lines = std::initializer_list<std::string_view>;

// The lines, each with CRLF, and the empty line after them.
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
