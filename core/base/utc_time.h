// Date and time of day in UTC. The C library's functions for it take a lock that all threads share, and read
// the file of the local zone on the first call. A loop must not wait for either, so the date is computed here.
// Pure, any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

inline constexpr long kDayS = 24 * 3600;

struct UtcTime {
  int year;
  int month;    // 1 to 12
  int day;      // 1 to 31
  int weekday;  // 0 is Sunday
  int hour;
  int minute;
  int second;
};

// From seconds since 1970. REQUIRES: a year that std::chrono::year can hold.
inline UtcTime utc_time(std::int64_t seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(moment - day);
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(std::chrono::weekday(day).c_encoding()),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

}  // namespace sluice
