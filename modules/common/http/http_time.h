// Reads the three forms of an HTTP date (RFC 9110 section 5.6.7). Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::files {

// Seconds since 1970, or nothing for what is no valid date. `now_s` decides the century of the old form's two
// digits: a year that seems more than 50 years ahead is the past one with these digits.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now_s);

}  // namespace sluice::files
