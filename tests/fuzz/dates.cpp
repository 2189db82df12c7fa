// Dates: core and modules write the same, which is read as the same moment; and what is read of any text is a
// moment that can be written.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/http/http_text.h"
#include "common/http/http_time.h"
#include "expect.h"
#include "http/http_date.h"

using namespace sluice;
using namespace sluice::files;
using fuzz::expect;

namespace {

constexpr std::int64_t kNow = 1'764'000'000;
constexpr std::int64_t kYear10000 = 253'402'300'800;

void check_moment(std::int64_t moment) {
  const std::string written = http_date(moment);
  if (written.empty()) return;
  expect(written.size() == kHttpDateSize, "a date has one size");
  const auto read = parse_http_date(written, kNow);
  expect(read && *read == moment, "a date that was written is read as the same moment");
  // The year of an answer's date has four digits.
  if (moment < 0 || moment >= kYear10000) return;
  char text[kHttpDateSize];
  write_http_date(text, moment);
  expect(std::string_view(text, kHttpDateSize) == written, "core writes a date as modules do");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::int64_t moment = 0;
  std::memcpy(&moment, data, std::min(size, sizeof(moment)));
  check_moment(moment);
  check_moment(moment % kYear10000);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::int64_t now : {std::int64_t{0}, kNow, kYear10000 - 1}) {
    const auto read = parse_http_date(text, now);
    if (read) expect(!http_date(*read).empty(), "a moment that was read can be written");
    if (read) check_moment(*read);
  }
  return 0;
}
