#include <catch2/catch.hpp>
#include <string>

#include "http/request_parser.h"
#include "support/parser_feed.h"

using namespace sluice;

namespace {

using test::every_byte;
using test::Fed;
using test::feed_parser;

Limits small_limits() {
  Limits limits;
  limits.head_bytes_max = 200;
  limits.target_bytes_max = 40;
  limits.fields_max = 4;
  return limits;
}

std::string request_of(std::size_t target_size, const std::string& lines = "") {
  return "GET /" + std::string(target_size - 1, 't') + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}
// A head of exactly `size` bytes.
std::string request_of_size(std::size_t size) {
  const std::size_t frame = request_of(1, "X: \r\n").size();
  return request_of(1, "X: " + std::string(size - frame, 'x') + "\r\n");
}
std::string lines(std::size_t count) {
  std::string made;
  for (std::size_t i = 0; i < count; ++i) made += "X" + std::to_string(i) + ": 1\r\n";
  return made;
}

struct Row {
  const char* what;
  std::string request;
  std::uint32_t status;  // 0: accepted
};

TEST_CASE("limits of a head are exact to the byte, wherever it is cut") {
  const Limits limits = small_limits();
  const Row rows[] = {
      {"the longest target", request_of(40), 0},
      {"one byte more", request_of(41), 414},
      {"a target longer than any head", request_of(400), 414},
      {"the longest head", request_of_size(200), 0},
      {"one byte more", request_of_size(201), 431},
      {"much more", request_of_size(900), 431},
      {"the most fields", request_of(1, lines(3)), 0},
      {"one field more", request_of(1, lines(4)), 431},
      // If two rules are broken, the first one decides, however many bytes came at once.
      {"a bad byte behind the longest head", request_of(1, "X: " + std::string(300, 'x') + "\x01\r\n"), 431},
      {"a bad byte behind the longest target", "GET /" + std::string(50, 't') + "\x01 HTTP/1.1\r\n\r\n", 414},
      {"the same behind several spaces", "GET   /" + std::string(50, 't') + "\x01 HTTP/1.1\r\n\r\n", 414},
      {"a bad name behind the most fields", request_of(1, lines(3) + "X(: 1\r\n"), 400},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const Fed whole = feed_parser(row.request, {}, limits);
    CHECK(whole.outcome == (row.status == 0 ? "complete" : "refused"));
    CHECK(whole.status == row.status);
    for (std::size_t cut = 1; cut < row.request.size(); ++cut) {
      INFO("cut at " << cut);
      CHECK(feed_parser(row.request, {cut}, limits).status == row.status);
    }
    CHECK(feed_parser(row.request, every_byte(row.request), limits).status == row.status);
  }
}

TEST_CASE("a request line without end is refused when it fills the head") {
  const Limits limits = small_limits();
  RequestParser parser(limits);
  const std::string line = "GET /" + std::string(300, 'a');
  std::size_t size = 1;
  RequestParser::HeadResult result{RequestParser::Outcome::incomplete};
  while (size < line.size() && result.outcome == RequestParser::Outcome::incomplete) {
    result = parser.parse_head(std::string_view(line).substr(0, size++));
  }
  CHECK(result.outcome == RequestParser::Outcome::refused);
  CHECK(result.refusal.status == 414);
  CHECK(size <= limits.head_bytes_max);
}

TEST_CASE("blank lines without end are refused when they fill the head") {
  const Limits limits = small_limits();
  RequestParser parser(limits);
  std::string blank;
  while (blank.size() < 150) blank += "\r\n";
  CHECK(parser.parse_head(blank).outcome == RequestParser::Outcome::incomplete);
  CHECK(parser.at_start());
  while (blank.size() < 200) blank += "\r\n";
  CHECK(parser.parse_head(blank).outcome == RequestParser::Outcome::refused);
}

TEST_CASE("a parser is at the start until a request's first byte") {
  const Limits limits;
  RequestParser parser(limits);
  CHECK(parser.at_start());
  CHECK(parser.parse_head("\r").outcome == RequestParser::Outcome::incomplete);
  CHECK(parser.at_start());
  CHECK(parser.parse_head("\r\n").outcome == RequestParser::Outcome::incomplete);
  CHECK(parser.at_start());
  CHECK(parser.parse_head("\r\nG").outcome == RequestParser::Outcome::incomplete);
  CHECK_FALSE(parser.at_start());
  parser.start();
  CHECK(parser.at_start());
}

TEST_CASE("pipelined requests are separated, wherever they are cut") {
  const std::string first =
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: 1\r\n\r\n";
  const std::string second = "GET /2 HTTP/1.0\r\nX-Long: yes\r\n\r\n";
  const std::string third = "PUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  const std::string all = first + second + third;
  const Limits limits;
  RequestParser parser(limits);
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    INFO("cut at " << cut);
    std::size_t begin = 0;
    for (const auto& [request, target] :
         {std::pair(first, "/1"), std::pair(second, "/2"), std::pair(third, "/3")}) {
      std::vector<std::size_t> cuts;
      if (cut > begin) cuts.push_back(cut - begin);
      const Fed fed = feed_parser(parser, std::string_view(all).substr(begin), cuts);
      CHECK(fed.outcome == "complete");
      CHECK(fed.target == target);
      CHECK(fed.consumed == request.size());
      begin += fed.consumed;
    }
  }
}

TEST_CASE("fields are recognised, in order, with their values trimmed") {
  const std::string request =
      "GET / HTTP/1.1\r\nhOST: a\r\nIf-None-Match: \"x\"\t\r\nX-Mine:  two  words \r\nRange:bytes=0-\r\n\r\n";
  const Limits limits;
  RequestParser parser(limits);
  REQUIRE(parser.parse_head(request).outcome == RequestParser::Outcome::complete);
  const auto& fields = parser.head().fields;
  REQUIRE(fields.size() == 4);
  CHECK(fields[0].id == FieldId::host);
  CHECK(std::string_view(fields[0].name) == "hOST");
  CHECK(fields[1].id == FieldId::if_none_match);
  CHECK(std::string_view(fields[1].value) == "\"x\"");
  CHECK(fields[2].id == FieldId::other);
  CHECK(std::string_view(fields[2].value) == "two  words");
  CHECK(fields[3].id == FieldId::range);
  CHECK(std::string_view(fields[3].value) == "bytes=0-");
}

TEST_CASE("methods have their own names") {
  const std::pair<const char*, Method> rows[] = {
      {"GET", Method::get},         {"HEAD", Method::head},   {"POST", Method::post},
      {"PUT", Method::put},         {"PATCH", Method::patch}, {"DELETE", Method::del},
      {"OPTIONS", Method::options}, {"TRACE", Method::trace}, {"PROPFIND", Method::other},
  };
  const Limits limits;
  for (const auto& [name, method] : rows) {
    RequestParser parser(limits);
    const std::string request = std::string(name) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(parser.parse_head(request).outcome == RequestParser::Outcome::complete);
    CHECK(parser.head().method == method);
    CHECK(parser.head().method_name == name);
  }
}

TEST_CASE("a chunked body's framing may not outgrow its content") {
  Limits limits;
  limits.head_bytes_max = 1024;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string small_chunks;
  for (int i = 0; i < 5000; ++i) small_chunks += "1\r\nx\r\n";
  const Fed accepted = feed_parser(head + small_chunks + "0\r\n\r\n", {}, limits);
  CHECK(accepted.outcome == "complete");
  CHECK(accepted.body.size() == 5000);
  const std::string extension = "1;" + std::string(3000, 'e') + "\r\nx\r\n0\r\n\r\n";
  CHECK(feed_parser(head + extension, {}, limits).outcome == "body refused");
  CHECK(feed_parser(head + extension, every_byte(head + extension), limits).outcome == "body refused");
  const std::string trailer = "0\r\nX: " + std::string(3000, 't') + "\r\n\r\n";
  CHECK(feed_parser(head + trailer, {}, limits).outcome == "body refused");
  CHECK(feed_parser(head + trailer, every_byte(head + trailer), limits).outcome == "body refused");
}

TEST_CASE("a body has a limit, whether its length is known or not") {
  Limits limits;
  limits.body_bytes_max = 10;
  const auto with_length = [](int size) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(static_cast<std::size_t>(size), 'x');
  };
  CHECK(feed_parser(with_length(10), {}, limits).outcome == "complete");
  CHECK(feed_parser(with_length(11), {}, limits).status == 413);
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const bool cut : {false, true}) {
    const std::string fits = head + "4\r\nxxxx\r\n6\r\nxxxxxx\r\n0\r\n\r\n";
    const std::string exceeds = head + "4\r\nxxxx\r\n7\r\nxxxxxxx\r\n0\r\n\r\n";
    CHECK(feed_parser(fits, cut ? every_byte(fits) : std::vector<std::size_t>(), limits).outcome == "complete");
    const Fed refused = feed_parser(exceeds, cut ? every_byte(exceeds) : std::vector<std::size_t>(), limits);
    CHECK(refused.outcome == "body refused");
    CHECK(refused.status == 413);
  }
  // The size of a chunk is enough to refuse it, before its content comes.
  CHECK(feed_parser(head + "4\r\nxxxx\r\n7", {}, limits).outcome != "body refused");
  CHECK(feed_parser(head + "4\r\nxxxx\r\n7\r\n", {}, limits).status == 413);
}

TEST_CASE("a HEAD request is recognised by its first bytes") {
  const Limits limits;
  RequestParser parser(limits);
  CHECK_FALSE(parser.asks_for_head(""));
  const std::string_view bytes = "\r\n\r\nHEAD / HT";
  CHECK(parser.parse_head(bytes).outcome == RequestParser::Outcome::incomplete);
  CHECK(parser.asks_for_head(bytes));
  parser.start();
  CHECK_FALSE(parser.asks_for_head("HEADS / "));
}

}  // namespace
