#include "http/request_parser.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/parser_feed.h"

using namespace sluice;

namespace {

using namespace std::string_literals;
using test::Fed;
using test::feed_parser;

// "GET / HTTP/1.1" with a Host and these further lines.
std::string get_with(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}
std::string post_chunked(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

struct Accepted {
  const char* what;
  std::string request;
  const char* method;
  const char* target;
  std::uint32_t version;
  const char* body;
  bool keep;
};

const Accepted kAccepted[] = {
    {"plain", get_with(""), "GET", "/", 11, "", true},
    {"1.0 closes", "GET / HTTP/1.0\r\n\r\n", "GET", "/", 10, "", false},
    {"1.0 asks to keep", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "/", 10, "", true},
    {"close", get_with("Connection: close\r\n"), "GET", "/", 11, "", false},
    {"close in a list", get_with("Connection: te , CLOSE\r\n"), "GET", "/", 11, "", false},
    {"close beats keep-alive", get_with("Connection: keep-alive, close\r\n"), "GET", "/", 11, "", false},
    {"9112 2.3: 1.2 is read as 1.1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET", "/", 11, "", true},
    {"9112 2.2: blank lines before", "\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/x", 11, "", true},
    {"9112 3.2.2: absolute", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "http://a/b?c", 11, "",
     true},
    {"9112 3.2.4: asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", 11, "", true},
    {"9110 7.2: empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", 11, "", true},
    {"white space around a value", "GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n", "GET", "/", 11, "", true},
    {"obs-text in a value", get_with("X: caf\xc3\xa9\r\n"), "GET", "/", 11, "", true},
    {"a field without a value", get_with("X-Empty:\r\nY: 1\r\n"), "GET", "/", 11, "", true},
    {"DELETE", "DELETE /d HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE", "/d", 11, "", true},
    {"PATCH", "PATCH /d HTTP/1.1\r\nHost: a\r\n\r\n", "PATCH", "/d", 11, "", true},
    {"a method of WebDAV", "PROPFIND /d HTTP/1.1\r\nHost: a\r\n\r\n", "PROPFIND", "/d", 11, "", true},
    {"body with a length", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "POST", "/p", 11,
     "hello", true},
    {"body of no bytes", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST", "/p", 11, "",
     true},
    {"body of GET", "GET /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok", "GET", "/p", 11, "ok", true},
    {"body in 1.0", "POST /p HTTP/1.0\r\nContent-Length: 2\r\n\r\nok", "POST", "/p", 10, "ok", false},
    {"chunked", post_chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "POST", "/p", 11, "hello world", true},
    {"chunked, nothing", post_chunked("0\r\n\r\n"), "POST", "/p", 11, "", true},
    {"chunked, hexadecimal", post_chunked("0a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n"), "POST", "/p",
     11, "01234567890123456789", true},
    {"9112 7.1.1: extensions", post_chunked("2;c=\"d\";a=b\r\nhi\r\n0;e\r\n\r\n"), "POST", "/p", 11, "hi",
     true},
    {"9112 7.1.2: trailers", post_chunked("2\r\nhi\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"), "POST", "/p", 11, "hi",
     true},
    {"a body that looks like a request", post_chunked("12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"), "POST",
     "/p", 11, "GET / HTTP/1.1\r\n\r\n", true},
    {"9110 10.1.1: Expect", "PUT /p HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "PUT", "/p", 11, "x", true},
    {"Expect means nothing in 1.0", "GET / HTTP/1.0\r\nExpect: magic\r\n\r\n", "GET", "/", 10, "", false},
    {"9110 7.8: Upgrade is ignored", get_with("Connection: Upgrade\r\nUpgrade: h2c\r\n"), "GET", "/", 11, "",
     true},
    {"Upgrade with a body",
     "POST /p HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nok", "POST",
     "/p", 11, "ok", true},
};

TEST_CASE("requests that are accepted, wherever they are cut") {
  for (const Accepted& row : kAccepted) {
    INFO(row.what);
    const Fed whole = feed_parser(row.request, {});
    CHECK(whole.outcome == "complete");
    CHECK(whole.status == 0);
    CHECK(whole.method == row.method);
    CHECK(whole.target == row.target);
    CHECK(whole.version == row.version);
    CHECK(whole.body == row.body);
    CHECK(whole.keep == row.keep);
    CHECK(whole.consumed == row.request.size());
    for (std::size_t cut = 1; cut < row.request.size(); ++cut) {
      INFO("cut at " << cut);
      CHECK(feed_parser(row.request, {cut}) == whole);
    }
    CHECK(feed_parser(row.request, test::every_byte(row.request)) == whole);
    // The bytes after it belong to the next request.
    const Fed followed = feed_parser(row.request + "GET /next HTTP/1.1\r\n", {});
    CHECK(followed.consumed == row.request.size());
    CHECK(followed == whole);
  }
}

struct Refused {
  const char* section;
  std::string request;
  std::uint32_t status;
};

const Refused kRefused[] = {
    // The request line (RFC 9112 section 3).
    {"9112 3: two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3: two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3: a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"9112 3: a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3: a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3: a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3.2: a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3.2: a byte above ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3.2: a NUL", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
    {"9112 3.2: DEL", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 3.2.4: asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 2.2: bare LF ends the line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
    {"9112 2.2: bare LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9112 2.2: bare CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    // Versions (section 2.3) and methods (RFC 9110 section 9.1).
    {"HTTP/0.9, as it was", "GET /\r\n\r\n", 400},
    {"HTTP/0.9, as it never was", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"HTTP/3.1", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505},
    {"two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    {"no minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", 400},
    {"small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"RTSP", "OPTIONS * RTSP/1.0\r\nHost: a\r\n\r\n", 400},
    {"RTSP's own method", "DESCRIBE /a RTSP/1.0\r\nHost: a\r\n\r\n", 400},
    {"RTSP's own method in HTTP", "DESCRIBE /a HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"GET in RTSP", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400},
    {"ICE", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400},
    {"9110 9.1: unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"9110 9.1: methods have a case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"9110 9.1: longer than a known one", "GETS / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"9110 9.1: shorter than a known one", "GE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"9110 9.1: no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9110 9.1: long beyond reason", std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"an unknown method without a version", "BREW /pot\r\nHost: a\r\n\r\n", 400},
    {"an unknown method and a bare LF", "BREW /pot HTTP/1.1\nHost: a\r\n\r\n", 400},
    {"9110 9.3.6: no proxy", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
    {"9110 9.3.6: no proxy, an IPv6 address", "CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
    {"9110 9.3.6: no port", "CONNECT [::1] HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9110 9.3.6: an empty port", "CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"9110 9.3.6: a path", "CONNECT /a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    // Field lines (RFC 9112 section 5).
    {"9112 5.1: a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"9112 5.1: a tab before the colon", get_with("X\t: a\r\n"), 400},
    {"9112 5.2: obs-fold", get_with("X: a\r\n b\r\n"), 400},
    {"9112 5.2: obs-fold by a tab", get_with("X: a\r\n\tb\r\n"), 400},
    {"9112 5.2: a fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", 400},
    {"9112 2.2: bare LF ends a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
    {"9112 2.2: bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"9112 2.2: bare CR in a value", get_with("X: a\rb\r\n"), 400},
    {"9112 2.2: two CRs", get_with("X: a\r\r\n"), 400},
    {"9110 5.5: NUL in a value", get_with("X: a\0b\r\n"s), 400},
    {"9110 5.5: a control byte in a value",
     get_with("X: a\x01"
              "b\r\n"),
     400},
    {"9110 5.5: DEL in a value", get_with("X: a\x7f\r\n"), 400},
    {"9110 5.1: no name", get_with(": a\r\n"), 400},
    {"9110 5.1: no colon", get_with("X\r\n"), 400},
    {"9110 5.1: a name that is not a token", get_with("X(Y): a\r\n"), 400},
    {"9110 5.1: a space in a name", get_with("X Y: a\r\n"), 400},
    // Host (section 3.2).
    {"9112 3.2: no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"9112 3.2: two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"9112 3.2: two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"9112 3.2: Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"9112 3.2: Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"9112 3.2: Host that is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    // Framing (section 6).
    {"9112 6.3: both ways", get_with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"9112 6.3: both, the other way round", get_with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
     400},
    {"9112 6.3: two lengths", get_with("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
    {"9112 6.3: the same length twice", get_with("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
    {"9110 8.6: a list of lengths", get_with("Content-Length: 1, 1\r\n"), 400},
    {"9110 8.6: a sign", get_with("Content-Length: +1\r\n"), 400},
    {"9110 8.6: a negative length", get_with("Content-Length: -1\r\n"), 400},
    {"9110 8.6: hexadecimal", get_with("Content-Length: 0x1\r\n"), 400},
    {"9110 8.6: nothing", get_with("Content-Length:\r\n"), 400},
    {"9110 8.6: two numbers", get_with("Content-Length: 1 1\r\n"), 400},
    {"9110 8.6: 2^64", get_with("Content-Length: 18446744073709551616\r\n"), 400},
    {"9110 8.6: 2^64 - 1, which stands for no length", get_with("Content-Length: 18446744073709551615\r\n"),
     400},
    {"9112 6.1: a coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"9112 6.1: an unknown coding under chunked", get_with("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"9112 6.3: chunked is not the last", get_with("Transfer-Encoding: chunked, gzip\r\n"), 400},
    {"9112 6.1: chunked twice", get_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"9112 6.1: an unknown coding under chunked, in two lines",
     get_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501},
    {"9112 6.3: chunked is not the last, in two lines",
     get_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"), 400},
    {"9112 6.3: an unknown coding alone", get_with("Transfer-Encoding: magic\r\n"), 400},
    {"9112 6.1: chunked twice in a line", get_with("Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"9112 6.1: an empty member", get_with("Transfer-Encoding: chunked,\r\n"), 400},
    {"9112 6.1: an empty coding", get_with("Transfer-Encoding:\r\n"), 400},
    {"9110 10.1.1: another expectation", get_with("Expect: magic\r\n"), 417},
};

TEST_CASE("requests that are refused, wherever they are cut") {
  for (const Refused& row : kRefused) {
    INFO(row.section);
    const Fed whole = feed_parser(row.request, {});
    CHECK(whole.outcome == "refused");
    CHECK(whole.status == row.status);
    for (std::size_t cut = 1; cut < row.request.size(); ++cut) {
      INFO("cut at " << cut);
      const Fed parts = feed_parser(row.request, {cut});
      CHECK(parts.outcome == "refused");
      CHECK(parts.status == row.status);
    }
    const Fed bytes = feed_parser(row.request, test::every_byte(row.request));
    CHECK(bytes.outcome == "refused");
    CHECK(bytes.status == row.status);
  }
}

const std::string kBadBodies[] = {
    "x\r\nhello\r\n0\r\n\r\n",                  // no size
    "\r\nhello\r\n0\r\n\r\n",                   // an empty size
    "-5\r\nhello\r\n0\r\n\r\n",                 // a sign
    "0x5\r\nhello\r\n0\r\n\r\n",                // a prefix
    "5\nhello\r\n0\r\n\r\n",                    // bare LF behind the size
    "5\r\nhello\n0\r\n\r\n",                    // bare LF behind the data
    "5\r\nhello!\r\n0\r\n\r\n",                 // more data than was said
    "5\r\nhell\r\n0\r\n\r\n",                   // less
    "5 \r\nhello\r\n0\r\n\r\n",                 // a space behind the size
    "10000000000000000\r\nhello\r\n0\r\n\r\n",  // 2^64
    "5;a\nhello\r\n0\r\n\r\n",                  // bare LF behind an extension
    "5;a\x01\r\nhello\r\n0\r\n\r\n",            // a control byte in one
    "0\r\nX : 1\r\n\r\n",                       // a space before a trailer's colon
    "0\r\nX: 1\r\n\n",                          // bare LF ends the trailers
    "0\r\n\n",                                  // bare LF ends the body
};

TEST_CASE("chunked bodies that are refused (RFC 9112 section 7.1), wherever they are cut") {
  for (const std::string& body : kBadBodies) {
    INFO(body);
    const std::string request = post_chunked(body);
    CHECK(feed_parser(request, {}).outcome == "body refused");
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
      INFO("cut at " << cut);
      CHECK(feed_parser(request, {cut}).outcome == "body refused");
    }
    CHECK(feed_parser(request, test::every_byte(request)).outcome == "body refused");
  }
}

}  // namespace
