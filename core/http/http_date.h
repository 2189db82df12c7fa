// The Date field of answers (RFC 9110 section 5.6.7), written once a second. Loop thread.
#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>

namespace sluice {

inline constexpr std::size_t kHttpDateSize = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// Writes an IMF-fixdate, without a terminator. REQUIRES: room for kHttpDateSize bytes.
void write_http_date(char* out, std::time_t seconds);

class HttpDate {
 public:
  // The current date by the wall clock. The view is valid until the next call.
  std::string_view now();

 private:
  std::time_t second_ = -1;
  char text_[kHttpDateSize];
};

}  // namespace sluice
