#include "common/http/http_time.h"

#include <array>
#include <chrono>

namespace sluice::files {
namespace {

constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr int kCenturyAhead = 50;

// Takes the text apart from its front. Once something does not fit, everything after it fails as well.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }
  void literal(std::string_view expected) {
    if (!ok_ || !left_.starts_with(expected)) {
      ok_ = false;
      return;
    }
    left_.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    if (!ok_ || left_.size() < digits) return fail();
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (left_[i] < '0' || left_[i] > '9') return fail();
      value = value * 10 + (left_[i] - '0');
    }
    left_.remove_prefix(digits);
    return value;
  }
  // asctime's day: two digits, or a space and one.
  int padded_number() {
    if (ok_ && left_.starts_with(' ')) {
      left_.remove_prefix(1);
      return number(1);
    }
    return number(2);
  }
  template <typename Names>
  int one_of(const Names& names) {
    for (std::size_t i = 0; ok_ && i < names.size(); ++i) {
      if (!left_.starts_with(names[i])) continue;
      left_.remove_prefix(names[i].size());
      return static_cast<int>(i);
    }
    return fail();
  }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }

  std::string_view left_;
  bool ok_ = true;
};

struct Parts {
  int weekday = 0;
  int year = 0;
  int month = 0;  // from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_clock(Reader& reader, Parts& parts) {
  parts.hour = reader.number(2);
  reader.literal(":");
  parts.minute = reader.number(2);
  reader.literal(":");
  parts.second = reader.number(2);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_fixdate(std::string_view text, Parts& parts) {
  Reader reader(text);
  parts.weekday = reader.one_of(kDays);
  reader.literal(", ");
  parts.day = reader.number(2);
  reader.literal(" ");
  parts.month = reader.one_of(kMonths);
  reader.literal(" ");
  parts.year = reader.number(4);
  reader.literal(" ");
  read_clock(reader, parts);
  reader.literal(" GMT");
  return reader.at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
bool read_rfc850(std::string_view text, int this_year, Parts& parts) {
  Reader reader(text);
  parts.weekday = reader.one_of(kLongDays);
  reader.literal(", ");
  parts.day = reader.number(2);
  reader.literal("-");
  parts.month = reader.one_of(kMonths);
  reader.literal("-");
  parts.year = reader.number(2) + this_year / 100 * 100;
  reader.literal(" ");
  read_clock(reader, parts);
  reader.literal(" GMT");
  if (parts.year > this_year + kCenturyAhead) parts.year -= 100;
  return reader.at_end();
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Parts& parts) {
  Reader reader(text);
  parts.weekday = reader.one_of(kDays);
  reader.literal(" ");
  parts.month = reader.one_of(kMonths);
  reader.literal(" ");
  parts.day = reader.padded_number();
  reader.literal(" ");
  read_clock(reader, parts);
  reader.literal(" ");
  parts.year = reader.number(4);
  return reader.at_end();
}

std::optional<std::int64_t> to_seconds(const Parts& parts) {
  using namespace std::chrono;
  const year_month_day date(year(parts.year), month(static_cast<unsigned>(parts.month) + 1),
                            day(static_cast<unsigned>(parts.day)));
  // A leap second is a valid time of day.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const sys_days days(date);
  if (weekday(days).c_encoding() != static_cast<unsigned>(parts.weekday)) return std::nullopt;
  return days.time_since_epoch().count() * std::int64_t{86400} + parts.hour * 3600 + parts.minute * 60 +
         parts.second;
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now_s) {
  using namespace std::chrono;
  const year_month_day today(floor<days>(sys_seconds(seconds(now_s))));
  for (const int form : {0, 1, 2}) {
    Parts parts;
    const bool fits = form == 0   ? read_fixdate(text, parts)
                      : form == 1 ? read_rfc850(text, static_cast<int>(today.year()), parts)
                                  : read_asctime(text, parts);
    if (fits) return to_seconds(parts);
  }
  return std::nullopt;
}

}  // namespace sluice::files
