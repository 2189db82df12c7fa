// The three forms of an HTTP date, RFC 9110 section 5.6.7.
#include "common/http/http_time.h"

#include <catch2/catch.hpp>

#include "common/http/http_text.h"

using sluice::files::http_date;
using sluice::files::parse_http_date;

namespace {

constexpr std::int64_t kNow = 1'795'500'000;  // in November 2026
constexpr std::int64_t kExample = 784'111'777;

}  // namespace

TEST_CASE("all three forms of a date name the same second", "[http_time]") {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(text);
    CHECK(parse_http_date(text, kNow) == kExample);
  }
}

TEST_CASE("invalid dates are refused", "[http_time]") {
  for (const char* text : {"",
                           "0",
                           "784111777",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 +0000",
                           "Mon, 06 Nov 1994 08:49:37 GMT",
                           "sun, 06 nov 1994 08:49:37 gmt",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Wed, 31 Nov 1994 08:49:37 GMT",
                           "Tue, 29 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun Nov 06 08:49:37 1994 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 GMT\", x",
                           "Sun, 0x Nov 1994 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text, kNow).has_value());
  }
}

TEST_CASE("a year of two digits is at most fifty years ahead", "[http_time]") {
  CHECK(parse_http_date("Friday, 06-Nov-76 08:49:37 GMT", kNow).has_value());  // 2076
  CHECK(parse_http_date("Sunday, 06-Nov-77 08:49:37 GMT", kNow).value() < 300'000'000);
}

TEST_CASE("a date that was written is read back", "[http_time]") {
  for (std::int64_t second = 0; second < 4'000'000'000; second += 9'999'991) {
    CAPTURE(second);
    CHECK(parse_http_date(http_date(second), kNow) == second);
  }
}
