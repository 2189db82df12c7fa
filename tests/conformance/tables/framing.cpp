// Bodies of requests, and what could be taken for one: RFC 9112 sections 6, 7 and 11.2, RFC 9110 sections 8.6
// and 10.1.1.
#include "conformance/tables/tables.h"
#include "support/http_client.h"

namespace sluice::conformance {
namespace {

using enum Level;
using namespace std::string_literals;

constexpr std::string_view kChunked = "Transfer-Encoding: chunked";

std::string with(Lines fields, std::string_view body = "") {
  return request("GET", "/ten.txt", fields, body);
}
std::string chunked(std::string_view body) {
  return request("GET", "/ten.txt", {kChunked}, body);
}
// A request that must never be answered, as it is another's content.
const std::string kHidden = lines({"GET /hidden HTTP/1.1", "Host: test"});

}  // namespace

std::vector<Case> framing_cases() {
  return {
      // Content-Length.
      {ours, "9112 6.3", "a body on GET is no request", with({"Content-Length: 5"}, "hello"),
       "200 | of /ten.txt"},
      {ours, "9112 6.3", "a body that looks like a request is none",
       with({"Content-Length: " + std::to_string(kHidden.size())}, kHidden), "200 | of /ten.txt"},
      {ours, "9112 6.3", "a body on HEAD", request("HEAD", "/ten.txt", {"Content-Length: 5"}, "hello"), "200"},
      {ours, "9112 6.3", "a body on a 404", request("GET", "/nothing", {"Content-Length: 5"}, "hello"), "404"},
      {ours, "9112 6.3", "a body on a redirect", request("GET", "/folder", {"Content-Length: 5"}, "hello"),
       "301"},
      {ours, "9112 6.3", "a body on a 304",
       request("GET", "/ten.txt", {"If-None-Match: *", "Content-Length: 5"}, "hello"), "304"},
      {ours, "9112 6.3", "a body on OPTIONS", request("OPTIONS", "/ten.txt", {"Content-Length: 5"}, "hello"),
       "200,204"},
      {must, "9112 6.3", "a body of nothing", with({"Content-Length: 0"}), "200 | of /ten.txt | keeps"},
      {must, "9110 8.6", "leading zeros", with({"Content-Length: 0005"}, "hello"), "200,400"},
      {ours, "9112 6.3", "a body of 100 KiB is drained",
       with({"Content-Length: 102400"}, std::string(102'400, 'x')), "200 | of /ten.txt | keeps"},
      {ours, "9112 9.6", "a body of 1 MiB that nobody wants",
       with({"Content-Length: 1048576"}, std::string(1'048'576, 'x')), "200,413"},
      {ours, "9110 15.5.14", "a body that is too large", with({"Content-Length: 99999999999"}), "413 | closes"},
      {must, "9110 8.6", "a sign", with({"Content-Length: +5"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "a negative length", with({"Content-Length: -5"}), "400 | closes"},
      {must, "9110 8.6", "a negative zero", with({"Content-Length: -0"}), "400 | closes"},
      {must, "9110 8.6", "hexadecimal", with({"Content-Length: 0x5"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "an exponent", with({"Content-Length: 1e1"}), "400 | closes"},
      {must, "9110 8.6", "a fraction", with({"Content-Length: 5.0"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "no number", with({"Content-Length: five"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "nothing", with({"Content-Length:"}), "400 | closes"},
      {must, "9110 8.6", "two numbers", with({"Content-Length: 5 5"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "something behind the number", with({"Content-Length: 5;"}, "hello"), "400 | closes"},
      {must, "9110 8.6", "digits that are not ASCII", with({"Content-Length: \xd9\xa5"}, "hello"),
       "400 | closes"},
      {must, "9110 8.6", "2^64", with({"Content-Length: 18446744073709551616"}), "400,413 | closes"},
      {must, "9110 8.6", "2^64 + 5", with({"Content-Length: 18446744073709551621"}, "hello"),
       "400,413 | closes"},
      {must, "9110 8.6", "2^63", with({"Content-Length: 9223372036854775808"}), "400,413 | closes"},
      {must, "9110 8.6", "a hundred digits", with({"Content-Length: " + std::string(100, '9')}),
       "400,413 | closes"},
      {must, "9112 6.3", "two different lengths", with({"Content-Length: 5", "Content-Length: 6"}, "hello"),
       "400 | closes"},
      {must, "9112 6.3", "two different lengths in one line", with({"Content-Length: 5, 6"}, "hello"),
       "400 | closes"},
      {ours, "9112 6.3", "the same length twice", with({"Content-Length: 5", "Content-Length: 5"}, "hello"),
       "400 | closes"},
      {ours, "9112 6.3", "the same length twice in one line", with({"Content-Length: 5, 5"}, "hello"),
       "400 | closes"},
      {must, "9112 6.3", "an empty member of a list", with({"Content-Length: 5,"}, "hello"), "400 | closes"},
      // Transfer-Encoding.
      {ours, "9112 7.1", "a chunked body on GET (a server may refuse bodies there)",
       chunked("5\r\nhello\r\n0\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7.1", "an empty chunked body", chunked("0\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7.1", "several chunks", chunked("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1", "hexadecimal sizes of both cases",
       chunked("a\r\n0123456789\r\nB\r\n0123456789A\r\n0\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7.1", "leading zeros", chunked("0005\r\nhello\r\n000\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7.1", "content that looks like a request", chunked(test::chunk(kHidden) + "0\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1.1", "an extension", chunked("5;name\r\nhello\r\n0\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7.1.1", "an extension with a value", chunked("5;name=value\r\nhello\r\n0\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1.1", "extensions with values", chunked("5;a=b;c=d\r\nhello\r\n0;e=f\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1.1", "a quoted value", chunked("5;a=\"b;c\\\"\"\r\nhello\r\n0\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1.1", "extensions in the last chunk", chunked("5\r\nhello\r\n0;a=b\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9112 7.1.2", "trailers", chunked("5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"),
       "200 | of /ten.txt"},
      {ours, "9110 6.5.1", "a trailer that would frame is ignored", chunked("0\r\nContent-Length: 50\r\n\r\n"),
       "200,400 | of /ten.txt"},
      {ours, "9110 6.5.1", "a trailer that would be a condition is ignored",
       chunked("0\r\nIf-None-Match: *\r\n\r\n"), "200 | of /ten.txt"},
      {ours, "9112 7", "names of codings have no case",
       request("GET", "/ten.txt", {"Transfer-Encoding: CHUNKED"}, "5\r\nhello\r\n0\r\n\r\n"),
       "200 | of /ten.txt"},
      // Nothing behind a broken one may be answered.
      {must, "9112 7.1", "no size", chunked("x\r\nhello\r\n0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 7.1", "a prefixed size", chunked("0x5\r\nhello\r\n0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 7.1", "a negative size", chunked("-1\r\nhello\r\n0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 7.1", "a size of 2^64", chunked("10000000000000000\r\nhello\r\n0\r\n\r\n" + kHidden),
       "400,413 | closes"},
      {must, "9112 7.1", "a size of 2^64 + 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n" + kHidden),
       "400,413 | closes"},
      {must, "9112 7.1", "a space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1", "bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 7.1", "bare LF behind the content", chunked("5\r\nhello\n0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1", "bare CR behind the size", chunked("5\rhello\r\n0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 7.1", "no line end behind the content", chunked("5\r\nhello0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1", "more content than its size", chunked("5\r\nhello!\r\n0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1.1", "bare LF in an extension", chunked("5;a\nhello\r\n0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1.1", "bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 7.1.2", "bare LF ends the trailers", chunked("0\r\nX: 1\r\n\n" + kHidden), "400 | closes"},
      {must, "9112 7.1.2", "a space before a trailer's colon", chunked("0\r\nX : 1\r\n\r\n" + kHidden),
       "400 | closes"},
      {ours, "9112 7.1.1", "an extension of 100 KiB",
       chunked("5;" + std::string(100 * 1024, 'e') + "\r\nhello\r\n0\r\n\r\n" + kHidden),
       "400,413,431 | closes"},
      {must, "9112 6.3", "both ways of framing", with({"Content-Length: 5", kChunked}, "0\r\n\r\n" + kHidden),
       "400 | closes"},
      {must, "9112 6.3", "both ways, the other way round",
       with({kChunked, "Content-Length: 5"}, "0\r\n\r\n" + kHidden), "400 | closes"},
      {must, "9112 6.1", "chunked in HTTP/1.0",
       lines({"GET /ten.txt HTTP/1.0", kChunked}) + "0\r\n\r\n" + kHidden, "400 | closes"},
      {must, "9112 6.1", "an unknown coding", with({"Transfer-Encoding: magic"}, "0\r\n\r\n" + kHidden),
       "400,501 | closes"},
      {should, "9112 6.1", "an unknown coding is not implemented", with({"Transfer-Encoding: magic"}, ""),
       "501 | closes"},
      {must, "9112 6.1", "gzip under chunked",
       with({"Transfer-Encoding: gzip, chunked"}, "0\r\n\r\n" + kHidden), "400,501 | closes"},
      {must, "9112 6.3", "chunked is not the last",
       with({"Transfer-Encoding: chunked, gzip"}, "0\r\n\r\n" + kHidden), "400,501 | closes"},
      {must, "9112 6.3", "identity is no coding any more", with({"Transfer-Encoding: identity"}, kHidden),
       "400,501 | closes"},
      {must, "9112 6.1", "chunked twice in one line",
       with({"Transfer-Encoding: chunked, chunked"}, "0\r\n\r\n" + kHidden), "400,501 | closes"},
      {must, "9112 6.1", "chunked twice", with({kChunked, kChunked}, "0\r\n\r\n" + kHidden),
       "400,501 | closes"},
      {must, "9112 6.1", "an empty coding", with({"Transfer-Encoding:"}, kHidden), "400,501 | closes"},
      {must, "9112 6.1", "chunked in quotes", with({"Transfer-Encoding: \"chunked\""}, "0\r\n\r\n" + kHidden),
       "400,501 | closes"},
      {must, "9112 6.1", "chunked with a parameter",
       with({"Transfer-Encoding: chunked;a=b"}, "0\r\n\r\n" + kHidden), "400,501 | closes"},
      {must, "9112 6.1", "chunked behind a vertical tab",
       with({"Transfer-Encoding: \vchunked"}, "0\r\n\r\n" + kHidden), "400,501 | closes"},
      {must, "9112 6.1", "chunked and something", with({"Transfer-Encoding: xchunked"}, "0\r\n\r\n" + kHidden),
       "400,501 | closes"},
      {must, "9112 6.1", "a name with something behind it", with({"Transfer-Encoding\x01: chunked"}),
       "400 | closes"},
      {must, "9112 6.1", "Transfer-Encoding and a length that is broken",
       with({kChunked, "Content-Length: x"}, "0\r\n\r\n" + kHidden), "400 | closes"},
      // 100 (Continue).
      {ours, "9110 10.1.1", "Expect with a body that is refused",
       request("POST", "/ten.txt", {"Expect: 100-continue", "Content-Length: 5"}, "hello"), "405"},
      {ours, "9110 10.1.1", "Expect without a body", with({"Expect: 100-continue"}),
       "200 | of /ten.txt | keeps"},
      {ours, "9110 10.1.1", "Expect with a body on GET",
       with({"Expect: 100-continue", "Content-Length: 5"}, "hello"), "200 | of /ten.txt"},
  };
}

}  // namespace sluice::conformance
