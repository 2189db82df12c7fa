#include "common/http/text.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice::files;

TEST_CASE("letters without their case", "[files_text]") {
  CHECK(lower_text("A.Z@[\xc4") == "a.z@[\xc4");
  CHECK(equals_ignoring_case("GZip", "gzIP"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));
  CHECK_FALSE(equals_ignoring_case("gzip", "gzi"));
}

TEST_CASE("blanks, parts and numbers at the front", "[files_text]") {
  CHECK(trimmed(" \t a b ") == "a b");
  CHECK(trimmed("\t").empty());
  std::string_view text = "a,,b,";
  CHECK(take_part(text, ',') == "a");
  CHECK(take_part(text, ',').empty());
  CHECK(take_part(text, ',') == "b");
  CHECK(text.empty());
  CHECK(leading_number("36 35") == 36);
  CHECK(leading_number("x") == 0);
}
