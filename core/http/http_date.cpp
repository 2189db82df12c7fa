#include "http/http_date.h"

#include <cstring>

#include "base/utc_time.h"

namespace sluice {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

char* put_text(char* out, const char* text, std::size_t size) {
  std::memcpy(out, text, size);
  return out + size;
}
char* put_number(char* out, int number, int digits) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) out[i] = static_cast<char>('0' + number % 10);
  return out + digits;
}

}  // namespace

void write_http_date(char* out, std::time_t seconds) {
  const UtcTime utc = utc_time(seconds);
  out = put_text(out, kDays + 3 * utc.weekday, 3);
  out = put_text(out, ", ", 2);
  out = put_number(out, utc.day, 2);
  out = put_text(out, " ", 1);
  out = put_text(out, kMonths + 3 * (utc.month - 1), 3);
  out = put_text(out, " ", 1);
  out = put_number(out, utc.year, 4);
  out = put_text(out, " ", 1);
  out = put_number(out, utc.hour, 2);
  out = put_text(out, ":", 1);
  out = put_number(out, utc.minute, 2);
  out = put_text(out, ":", 1);
  out = put_number(out, utc.second, 2);
  put_text(out, " GMT", 4);
}

std::string_view HttpDate::now() {
  timespec clock{};
  clock_gettime(CLOCK_REALTIME_COARSE, &clock);
  if (clock.tv_sec != second_) {
    second_ = clock.tv_sec;
    write_http_date(text_, second_);
  }
  return {text_, kHttpDateSize};
}

}  // namespace sluice
