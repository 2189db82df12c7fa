// What a reader that does not keep up costs.
#include "connection/http2_content.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("content comes out as it went in", "[http2_content]") {
  Http2Content content;
  std::string taken;
  std::string given;
  for (unsigned i = 0; i < 1000; ++i) {
    const std::string part = std::to_string(i) + ",";
    content.append(part);
    given += part;
    const std::size_t size = std::min<std::size_t>(i % 7, content.rest().size());
    taken += content.rest().substr(0, size);
    content.use(size);
  }
  CHECK(taken + std::string(content.rest()) == given);
  content.clear();
  CHECK(content.rest().empty());
}

TEST_CASE("a reader that never catches up costs a window and not the body", "[http2_content]") {
  constexpr std::size_t kWindow = 64 * 1024;
  constexpr std::size_t kPart = 1024;
  Http2Content content;
  content.append(std::string(kWindow, 'x'));
  for (std::size_t sent = 0; sent < 10 * 1024 * 1024; sent += kPart) {
    content.use(kPart);
    content.append(std::string(kPart, 'x'));
  }
  CHECK(content.rest().size() == kWindow);
  CHECK(content.capacity() <= 4 * kWindow);
}
