#include "common/http/http_text.h"

#include <charconv>
#include <chrono>
#include <cstdio>

#include "common/http/http_time.h"

namespace sluice::files {
namespace {

constexpr std::chrono::sys_days kYear0 = std::chrono::year(0) / 1 / 1;
constexpr std::chrono::sys_days kYear10000 = std::chrono::year(10'000) / 1 / 1;

bool has_four_digits_a_year(std::int64_t seconds) {
  return seconds >= std::chrono::seconds(kYear0.time_since_epoch()).count() &&
         seconds < std::chrono::seconds(kYear10000.time_since_epoch()).count();
}

// The C library's function is not used: it takes a lock that all threads share, and reads the local zone's
// file.
struct UtcTime {
  explicit UtcTime(std::int64_t seconds) : moment(std::chrono::seconds(seconds)) {}

  std::chrono::sys_seconds moment;
  std::chrono::sys_days days = std::chrono::floor<std::chrono::days>(moment);
  std::chrono::year_month_day date{days};
  std::chrono::hh_mm_ss<std::chrono::seconds> time{moment - days};
  int year = static_cast<int>(date.year());
  unsigned month = static_cast<unsigned>(date.month());
  unsigned day = static_cast<unsigned>(date.day());
  unsigned weekday = std::chrono::weekday(days).c_encoding();
  long hour = time.hours().count();
  long minute = time.minutes().count();
  long second = time.seconds().count();
};

// pchar of RFC 3986 and the slash.
bool stays_in_path(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

}  // namespace

std::string http_date(std::int64_t seconds) {
  if (!has_four_digits_a_year(seconds)) return {};
  const UtcTime utc(seconds);
  char text[64];
  const int size =
      std::snprintf(text, sizeof(text), "%s, %02u %s %04d %02ld:%02ld:%02ld GMT", kDays[utc.weekday].data(),
                    utc.day, kMonths[utc.month - 1].data(), utc.year, utc.hour, utc.minute, utc.second);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string iso_date(std::int64_t seconds) {
  if (!has_four_digits_a_year(seconds)) return {};
  const UtcTime utc(seconds);
  char text[64];
  const int size = std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02ld:%02ld:%02ldZ", utc.year, utc.month,
                                 utc.day, utc.hour, utc.minute, utc.second);
  return std::string(text, static_cast<std::size_t>(size));
}

void append_encoded_path(std::string& out, std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : path) {
    if (stays_in_path(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

void append_hex(std::string& out, std::uint64_t number) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number, 16).ptr);
}

}  // namespace sluice::files
