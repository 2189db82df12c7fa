// What clients say of an answer's urgency: RFC 9218 section 4.
#include "http/http2_priority.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("priorities of clients", "[http2_priority]") {
  struct Case {
    const char* text;
    int urgency;
    bool incremental;
    bool said;
  };
  const Case cases[] = {
      {"", 3, false, false},        {"u=0", 0, false, true},         {"u=7, i", 7, true, true},
      {"i", 3, true, true},         {"i=?1", 3, true, true},         {"i=?0", 3, false, true},
      {"u=1,i=?0", 1, false, true}, {"u=8", 3, false, false},        {"u=-1", 3, false, false},
      {"u=10", 3, false, false},    {"u=1;x=2, i;y", 1, true, true}, {"x=1, u=2", 2, false, true},
      {"u=1, u=5", 5, false, true}, {"U=1", 3, false, false},        {"u = 1", 3, false, false},
      {",,;,", 3, false, false},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    const Http2Priority priority = parse_priority(one.text);
    CHECK(priority.urgency == one.urgency);
    CHECK(priority.incremental == one.incremental);
    CHECK(priority.said == one.said);
  }
}
