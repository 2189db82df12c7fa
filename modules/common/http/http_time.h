// Reads the three forms of an HTTP date (RFC 9110 section 5.6.7). Pure, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::files {

inline constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
inline constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Seconds since 1970, or nothing if the date is not valid. The old form has a year of two digits: `now_s`
// decides the century. A year that seems more than 50 years ahead is in the past.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now_s);

}  // namespace sluice::files
