#include "telemetry/call_note.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("a call within a call restores the outer note", "[stats]") {
  CallNote note;
  const Request request;
  const auto is = [&](std::uint64_t tag, const Request* of) {
    return note.module_tag.load() == tag && note.request.load() == of;
  };
  {
    const NotedCall outer(note, 1, &request);
    CHECK(is(1, &request));
    {
      const NotedCall inner(note, 2);
      CHECK(is(2, nullptr));
    }
    CHECK(is(1, &request));
  }
  CHECK(is(0, nullptr));
}
