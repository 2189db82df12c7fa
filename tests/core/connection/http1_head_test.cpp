// Heads of answers, as they are written.
#include "connection/http1_head.h"

#include <catch2/catch.hpp>
#include <string>

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
