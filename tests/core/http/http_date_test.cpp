// The Date of answers.
#include "http/http_date.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

TEST_CASE("dates have the form of RFC 9110 section 5.6.7", "[http_date]") {
  const auto text = [](std::time_t seconds) {
    std::string date(kHttpDateSize, '\0');
    write_http_date(date.data(), seconds);
    return date;
  };
  CHECK(text(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(text(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(text(951'782'399) == "Mon, 28 Feb 2000 23:59:59 GMT");
  CHECK(text(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(text(4'102'444'800) == "Fri, 01 Jan 2100 00:00:00 GMT");
  HttpDate date;
  CHECK(date.now().size() == kHttpDateSize);
}
