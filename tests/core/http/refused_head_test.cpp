// What the parser tells of a head that is refused, or that has not come whole.
#include <catch2/catch.hpp>
#include <string>

#include "support/parser_feed.h"

using namespace sluice;

namespace {

// As "METHOD|TARGET|LINE|name=value;...", after the bytes have come in pieces of this size.
std::string described(const std::string& bytes, std::size_t piece, const Limits& limits = {}) {
  RequestParser parser(limits);
  for (std::size_t end = std::min(piece, bytes.size());; end = std::min(end + piece, bytes.size())) {
    const test::Moved moved(std::string_view(bytes).substr(0, end));
    const bool refused = parser.parse_head(moved.view()).outcome == RequestParser::Outcome::refused;
    if (!refused && end < bytes.size()) continue;
    RequestHead head;
    head.line = "of another request";
    parser.describe_refused(moved.view(), head);
    std::string text(head.method_name);
    text.append("|").append(head.target).append("|").append(head.line).append("|");
    for (const Field& field : head.read_fields)
      text.append(field.name).append("=").append(field.value).append(";");
    CHECK(head.fields.empty());
    CHECK((head.method == Method::head) == head.line.starts_with("HEAD "));
    return text;
  }
}

const std::string kGet = "GET /a HTTP/1.1\r\n";

}  // namespace

TEST_CASE("of a refused head, the fields before the mistake are known") {
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100'000});
  CAPTURE(piece);
  const std::string line = "GET|/a|GET /a HTTP/1.1|";
  const std::string good = "User-Agent: me \r\nReferer:\r\n";
  CHECK(described(kGet + good + "no colon\r\nHost: a\r\n\r\n", piece) == line + "User-Agent=me;Referer=;");
  CHECK(described(kGet + good + "a b: c\r\n\r\n", piece) == line + "User-Agent=me;Referer=;");
  CHECK(described(kGet + good + "X: a\x01" + "b\r\n\r\n", piece) == line + "User-Agent=me;Referer=;");
  CHECK(described(kGet + "no colon\r\nUser-Agent: me\r\n\r\n", piece) == line);
  // Mistakes that only a whole head shows.
  CHECK(described(kGet + good + "\r\n", piece) == line + "User-Agent=me;Referer=;");
  CHECK(described(kGet + "Host: a\r\nHost: b\r\nUser-Agent: me\r\n\r\n", piece) ==
        line + "Host=a;Host=b;User-Agent=me;");
  CHECK(described("HEAD / HTTP/2.0\r\nUser-Agent: me\r\n\r\n", piece).starts_with("HEAD|/|HEAD / HTTP/2.0|"));
}

TEST_CASE("of a head that has not come whole, the fields that have are known") {
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{100'000});
  CAPTURE(piece);
  CHECK(described("GE", piece) == "GE||GE|");
  CHECK(described("GET /a HT", piece) == "GET|/a|GET /a HT|");
  CHECK(described(kGet + "User-Agent: me\r\n", piece) == "GET|/a|GET /a HTTP/1.1|User-Agent=me;");
  CHECK(described(kGet + "User-Agent: me\r\nX", piece) == "GET|/a|GET /a HTTP/1.1|User-Agent=me;");
  CHECK(described(kGet + "User-Agent: me\r\nReferer: h", piece) == "GET|/a|GET /a HTTP/1.1|User-Agent=me;");
  CHECK(described(kGet + "User-Agent:", piece) == "GET|/a|GET /a HTTP/1.1|");
  CHECK(described("\r\n\r\nGET /a HT", piece) == "GET|/a|GET /a HT|");
}

TEST_CASE("of a head that is too long, the fields that fit are known") {
  const std::string bytes = kGet + "User-Agent: me\r\nX: " + std::string(20'000, 'x');
  CHECK(described(bytes, 100'000) == "GET|/a|GET /a HTTP/1.1|User-Agent=me;");
}

TEST_CASE("a request line that is no request is shown as it came") {
  CHECK(described(std::string("\x16\x03\x01\0\x05hello", 10), 100) ==
        std::string("\x16\x03\x01\0\x05hello||\x16\x03\x01\0\x05hello|", 23));
  CHECK(described("SSH-2.0-x\r\n", 100) == "SSH-2.0-x||SSH-2.0-x|");
}
