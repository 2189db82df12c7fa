// How content ends, by version, status and method (RFC 9112 section 6.3).
#include "http/response_head.h"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

ResponseHead head_of(std::uint32_t status, std::uint32_t version, std::uint64_t size, bool head_only = false) {
  ResponseHead head;
  head.status = status;
  head.request_version = version;
  head.size = size;
  head.head_only = head_only;
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
  CHECK(framing_of(head_of(205, 11, 0)) == Framing::length);
}
