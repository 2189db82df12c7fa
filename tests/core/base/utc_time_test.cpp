// Dates are those of the C library.
#include "base/utc_time.h"

#include <catch2/catch.hpp>
#include <ctime>

using namespace sluice;

TEST_CASE("any moment has the date that the C library gives it", "[utc_time]") {
  // Some prime number of seconds, so that all times of day and days of the year come up.
  constexpr std::int64_t kStep = 40'000'003;
  for (std::int64_t seconds = -62'167'219'200; seconds < 253'402'300'800; seconds += kStep) {
    const UtcTime found = utc_time(seconds);
    const std::time_t moment = seconds;
    std::tm wanted{};
    REQUIRE(::gmtime_r(&moment, &wanted) != nullptr);
    CAPTURE(seconds);
    CHECK(found.year == wanted.tm_year + 1900);
    CHECK(found.month == wanted.tm_mon + 1);
    CHECK(found.day == wanted.tm_mday);
    CHECK(found.weekday == wanted.tm_wday);
    CHECK(found.hour * 3600 + found.minute * 60 + found.second ==
          wanted.tm_hour * 3600 + wanted.tm_min * 60 + wanted.tm_sec);
  }
}
