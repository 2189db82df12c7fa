// Heads of answers: framing by version, status and method (RFC 9112 section 6.3), fields, dates, statuses.
#include "connection/http1_head.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/http_date.h"
#include "http/http_fields.h"
#include "http/http_status.h"

using namespace sluice;

namespace {

std::string text_of(const ResponseHead& head) {
  BufferPool pool(8192);
  Output output(pool);
  write_response_head(head, output);
  std::string text(output.pending());
  CHECK(text.size() <= response_head_size_max(head));
  output.consume(text.size());
  return text;
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line) != std::string::npos;
}

ResponseHead head_of(std::uint32_t status, std::uint32_t version, std::uint64_t size, bool head_only = false) {
  ResponseHead head;
  head.status = status;
  head.request_version = version;
  head.size = size;
  head.head_only = head_only;
  head.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  return head;
}

}  // namespace

TEST_CASE("content is framed as the client can read it", "[response_head]") {
  CHECK(framing_of(head_of(200, 11, 5)) == Framing::length);
  CHECK(framing_of(head_of(200, 10, 5)) == Framing::length);
  CHECK(framing_of(head_of(200, 11, kUnknownSize)) == Framing::chunked);
  CHECK(framing_of(head_of(200, 10, kUnknownSize)) == Framing::close);
  CHECK(framing_of(head_of(200, 11, 5, true)) == Framing::none);
  CHECK(framing_of(head_of(204, 11, 0)) == Framing::none);
  CHECK(framing_of(head_of(304, 10, 0)) == Framing::none);
}

TEST_CASE("a head announces its content's framing, and whether the connection closes", "[response_head]") {
  const std::string plain = text_of(head_of(200, 11, 5));
  CHECK(plain.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(has(plain, "\r\nContent-Length: 5\r\n"));
  CHECK(has(plain, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  CHECK_FALSE(has(plain, "Connection:"));
  CHECK(plain.substr(plain.size() - 4) == "\r\n\r\n");
  CHECK(text_of(head_of(200, 11, 5, true)) == plain);
  const std::string chunked = text_of(head_of(200, 11, kUnknownSize));
  CHECK(has(chunked, "Transfer-Encoding: chunked\r\n"));
  CHECK_FALSE(has(chunked, "Content-Length"));
  CHECK_FALSE(has(text_of(head_of(200, 10, kUnknownSize)), "Transfer-Encoding"));
  CHECK_FALSE(has(text_of(head_of(204, 11, 0)), "Content-Length"));
  CHECK_FALSE(has(text_of(head_of(304, 11, 0)), "Content-Length"));
  ResponseHead closing = head_of(200, 11, 5);
  closing.keep_alive = false;
  CHECK(has(text_of(closing), "Connection: close\r\n"));
  CHECK(has(text_of(head_of(200, 10, 5)), "Connection: keep-alive\r\n"));
}

TEST_CASE("dates have the form of RFC 9110 section 5.6.7", "[http_date]") {
  const auto text = [](std::time_t seconds) {
    std::string date(kHttpDateSize, '\0');
    write_http_date(date.data(), seconds);
    return date;
  };
  CHECK(text(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(text(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(text(951'782'399) == "Mon, 28 Feb 2000 23:59:59 GMT");
  CHECK(text(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(text(4'102'444'800) == "Fri, 01 Jan 2100 00:00:00 GMT");
  HttpDate date;
  CHECK(date.now().size() == kHttpDateSize);
}

TEST_CASE("fields are known by name, whatever their case", "[http_fields]") {
  CHECK(field_id("Host") == FieldId::host);
  CHECK(field_id("hOST") == FieldId::host);
  CHECK(field_id("If-Unmodified-Since") == FieldId::if_unmodified_since);
  CHECK(field_id("TE") == FieldId::te);
  CHECK(field_id("") == FieldId::other);
  CHECK(field_id("Hos") == FieldId::other);
  CHECK(field_id("Hostx") == FieldId::other);
  CHECK(field_id(std::string(500, 'a')) == FieldId::other);
}

TEST_CASE("lists are searched member by member", "[http_fields]") {
  CHECK(list_has("close", "close"));
  CHECK(list_has("x, Close ;q=1,y", "close"));
  CHECK(list_has(",,\tclose\t,", "close"));
  CHECK_FALSE(list_has("closed", "close"));
  CHECK_FALSE(list_has("not close", "close"));
  CHECK_FALSE(list_has("", "close"));
}

TEST_CASE("a module cannot forge framing, nor split an answer", "[http_fields]") {
  CHECK(why_not_sendable("X-Mine", "a value") == nullptr);
  CHECK(why_not_sendable("X-Mine", "") == nullptr);
  CHECK(why_not_sendable("X-Mine", "caf\xc3\xa9") == nullptr);
  for (const char* value : {"a\r\nb", "a\nb", "a\rb", " a", "a\t", "a\x01", "a\x7f"}) {
    CHECK(why_not_sendable("X-Mine", value) != nullptr);
  }
  for (const char* name :
       {"", "a b", "a:", "a\r\n", "content-length", "Transfer-Encoding", "CONNECTION", "Date"}) {
    CHECK(why_not_sendable(name, "x") != nullptr);
  }
  std::string lines = "A: 1\r\nB: 2\r\na: 3\r\n";
  remove_field(lines, "a");
  CHECK(lines == "B: 2\r\n");
}

TEST_CASE("every status that the server uses has a name, and a page in two forms", "[http_status]") {
  for (const std::uint32_t status : {200u, 206u, 301u, 304u, 400u, 403u, 404u, 405u, 408u, 412u,
                                     414u, 416u, 417u, 421u, 431u, 500u, 501u, 503u, 504u, 505u}) {
    CHECK(reason_phrase(status) != "Unknown");
  }
  CHECK(reason_phrase(299) == "Unknown");
  CHECK(error_page(404, {}, true).content == "404 Not Found\n");
  CHECK(error_page(400, "No Host.", true).content == "400 Bad Request\nNo Host.\n");
  CHECK(has(error_page(404, {}, false).content, "<h1>404 Not Found</h1>\n</html>"));
  CHECK(has(error_page(400, "No Host.", false).content, "<h1>400 Bad Request</h1>\n<p>No Host.</p>\n</html>"));
  CHECK(has_no_content(204));
  CHECK_FALSE(has_no_content(200));
}
