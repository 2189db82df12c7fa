// Feeds a request to a parser in pieces, as a connection does. The memory moves between any two calls. One
// thread.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "http/request_parser.h"

namespace sluice::test {

struct Fed {
  std::string outcome;  // "incomplete", "complete", "refused" or "body refused"
  std::uint32_t status = 0;
  std::string method;
  std::string target;
  std::string fields;  // "name=value;" each
  std::string body;
  std::uint32_t version = 0;
  std::uint64_t body_size = 0;
  std::size_t consumed = 0;
  bool keep = false;
  bool expects_continue = false;

  bool operator==(const Fed&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Fed& fed) {
  return out << fed.outcome << " " << fed.status << " " << fed.method << " " << fed.target << " " << fed.fields
             << " " << fed.version << " body " << fed.body_size << " [" << fed.body << "] consumed "
             << fed.consumed << (fed.keep ? " keep" : " close") << (fed.expects_continue ? " expects" : "");
}

// A copy of the bytes without room behind it, so that a sanitizer finds any read beyond the end.
class Moved {
 public:
  explicit Moved(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) { bytes_.shrink_to_fit(); }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

inline std::vector<std::size_t> every_byte(std::string_view bytes) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < bytes.size(); ++i) cuts.push_back(i);
  return cuts;
}

inline void note_head(const RequestHead& head, Fed& fed) {
  fed.method = head.method_name;
  fed.target = head.target;
  for (const Field& field : head.fields) {
    fed.fields.append(field.name).append("=").append(field.value).append(";");
  }
  fed.version = head.version;
  fed.body_size = head.body_size;
  fed.keep = head.keep_alive;
  fed.expects_continue = head.expects_continue;
}

// The cuts are offsets, in ascending order. Starts the parser, which may have been used before.
inline Fed feed_parser(RequestParser& parser, std::string_view bytes, std::vector<std::size_t> cuts) {
  using Outcome = RequestParser::Outcome;
  Fed fed;
  fed.outcome = "incomplete";
  cuts.push_back(bytes.size());
  std::size_t next = 0;
  parser.start();
  RequestParser::HeadResult head{Outcome::incomplete};
  while (head.outcome == Outcome::incomplete && next < cuts.size()) {
    const Moved moved(bytes.substr(0, cuts[next++]));
    head = parser.parse_head(moved.view());
    if (head.outcome == Outcome::complete) note_head(parser.head(), fed);
  }
  fed.status = head.refusal.status;
  fed.consumed = head.size;
  if (head.outcome == Outcome::refused) fed.outcome = "refused";
  if (head.outcome != Outcome::complete) return fed;
  if (fed.body_size == 0) {
    fed.outcome = "complete";
    return fed;
  }
  for (;;) {
    const Moved moved(bytes.substr(fed.consumed, cuts[next - 1] - fed.consumed));
    const RequestParser::BodyResult body = parser.parse_body(moved.view());
    fed.body += body.piece;
    fed.consumed += body.used;
    if (body.outcome != Outcome::incomplete) {
      fed.outcome = body.outcome == Outcome::complete ? "complete" : "body refused";
      fed.status = body.refusal.status;
      return fed;
    }
    if (body.used > 0 || !body.piece.empty()) continue;
    if (next == cuts.size()) return fed;
    ++next;
  }
}

inline Fed feed_parser(std::string_view bytes, std::vector<std::size_t> cuts, const Limits& limits = {}) {
  RequestParser parser(limits);
  return feed_parser(parser, bytes, std::move(cuts));
}

}  // namespace sluice::test
