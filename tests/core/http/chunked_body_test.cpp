#include "http/chunked_body.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/chunked_feed.h"

using namespace sluice;

namespace {

using test::Chunks;
using test::take_chunks;

struct Row {
  const char* rule;
  std::string bytes;
  std::string content;
};

const Row kWhole[] = {
    {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"two", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
    {"none", "0\r\n\r\n", ""},
    {"a last chunk of many zeros", "00000000000000000000\r\n\r\n", ""},
    {"leading zeros", "0000000000000000000002\r\nhi\r\n0\r\n\r\n", "hi"},
    {"digits of both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
    {"content that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n"},
    {"extension", "2;name\r\nhi\r\n0\r\n\r\n", "hi"},
    {"extension with a value", "2;name=value\r\nhi\r\n0\r\n\r\n", "hi"},
    {"extensions with values", "2;a=b;c=d;e\r\nhi\r\n0;f=g;h=i\r\n\r\n", "hi"},
    {"extension with a quoted value", "2;a=\"b; \\\" c\"\r\nhi\r\n0\r\n\r\n", "hi"},
    {"extension behind a quoted value", "2;a=\"\";c=d\r\nhi\r\n0\r\n\r\n", "hi"},
    {"spaces around semicolon and equals sign", "2 ;\t a =\tb ; c\r\nhi\r\n0\r\n\r\n", "hi"},
    {"trailers", "2\r\nhi\r\n0\r\nSum: 1\r\nEmpty:\r\nOther:\tx y \r\n\r\n", "hi"},
    {"trailer with bytes above ASCII", "0\r\nX: \xc3\xa9\r\n\r\n", ""},
};

const Row kBroken[] = {
    {"no size", "x\r\nhello\r\n0\r\n\r\n", ""},
    {"an empty size", "\r\nhello\r\n0\r\n\r\n", ""},
    {"a sign", "-5\r\nhello\r\n0\r\n\r\n", ""},
    {"a prefix", "0x5\r\nhello\r\n0\r\n\r\n", ""},
    {"2^64", "10000000000000000\r\nhello\r\n0\r\n\r\n", ""},
    {"a space before the size", " 5\r\nhello\r\n0\r\n\r\n", ""},
    {"a space behind the size", "5 \r\nhello\r\n0\r\n\r\n", ""},
    {"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", ""},
    {"bare CR behind the size", "5\rhello\r\n0\r\n\r\n", ""},
    {"bare LF behind the content", "5\r\nhello\n0\r\n\r\n", ""},
    {"more content than was said", "5\r\nhello!\r\n0\r\n\r\n", ""},
    {"less", "5\r\nhell\r\n0\r\n\r\n", ""},
    {"bare LF behind an extension", "5;a\nhello\r\n0\r\n\r\n", ""},
    {"bare LF in a quoted value", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", ""},
    {"no name of an extension", "5;\r\nhello\r\n0\r\n\r\n", ""},
    {"no value behind the equals sign", "5;a=\r\nhello\r\n0\r\n\r\n", ""},
    {"two values", "5;a=b c\r\nhello\r\n0\r\n\r\n", ""},
    {"a quote that does not end", "5;a=\"b\r\nhello\r\n0\r\n\r\n", ""},
    {"something behind a quote", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", ""},
    {"a space at an extension's end", "5;a \r\nhello\r\n0\r\n\r\n", ""},
    {"a control byte in an extension", "5;a=\x01\r\nhello\r\n0\r\n\r\n", ""},
    {"bare LF ends the body", "0\r\n\n", ""},
    {"bare LF ends a trailer", "0\r\nX: 1\n\r\n", ""},
    {"bare LF ends the trailers", "0\r\nX: 1\r\n\n", ""},
    {"a space before a trailer's colon", "0\r\nX : 1\r\n\r\n", ""},
    {"a trailer without a name", "0\r\n: 1\r\n\r\n", ""},
    {"a trailer without a colon", "0\r\nX\r\n\r\n", ""},
    {"a folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n", ""},
    {"bare CR in a trailer", "0\r\nX: 1\r2\r\n\r\n", ""},
    {"NUL in a trailer", std::string("0\r\nX: \0\r\n\r\n", 11), ""},
};

TEST_CASE("the content of chunked bodies (RFC 9112 section 7.1) is found, wherever they are cut") {
  for (const Row& row : kWhole) {
    INFO(row.rule);
    const std::string bytes = row.bytes + "GET / HTTP/1.1\r\n";  // the next request is not touched
    const Chunks whole = take_chunks(bytes, bytes.size());
    CHECK(whole.outcome == ChunkedBody::Outcome::done);
    CHECK(whole.content == row.content);
    CHECK(whole.used == row.bytes.size());
    for (std::size_t step = 1; step < bytes.size(); ++step) CHECK(take_chunks(bytes, step) == whole);
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      CHECK(take_chunks(row.bytes.substr(0, size), 3).outcome == ChunkedBody::Outcome::more);
    }
  }
}

TEST_CASE("chunked bodies that break a rule are refused, wherever they are cut") {
  for (const Row& row : kBroken) {
    INFO(row.rule);
    for (std::size_t step = 1; step <= row.bytes.size(); ++step) {
      CHECK(take_chunks(row.bytes, step).outcome == ChunkedBody::Outcome::broken);
    }
  }
}

TEST_CASE("a chunk may have the largest size that a number can hold") {
  ChunkedBody body;
  CHECK(body.take("ffffffffffffffff\r\n").outcome == ChunkedBody::Outcome::more);
  const ChunkedBody::Result content = body.take("abc");
  CHECK(content.piece == "abc");
  CHECK(content.used == 3);
}

}  // namespace
