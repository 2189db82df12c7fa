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

TEST_CASE("after a call for another request, the note has the text of the outer request again", "[stats]") {
  CallNote note;
  Request outer_request;
  outer_request.method_name = "GET";
  outer_request.target = "/outer";
  outer_request.version = 11;
  Request inner_request = outer_request;
  inner_request.target = "/inner";
  {
    const NotedCall outer(note, 1, &outer_request);
    {
      const NotedCall inner(note, 2, &inner_request);
      CHECK(note.request_text() == "GET /inner HTTP/1.1");
    }
    CHECK(note.request_text() == "GET /outer HTTP/1.1");
    { const NotedCall without_request(note, 3); }
    CHECK(note.request_text() == "GET /outer HTTP/1.1");
  }
  CHECK(note.request_text().empty());
}
