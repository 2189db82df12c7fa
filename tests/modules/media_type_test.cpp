// Patterns of media types.
#include "common/http/media_type.h"

#include <catch2/catch.hpp>

using namespace sluice::files;

TEST_CASE("a type fits a pattern without its parameters, in any case of letters", "[media_type]") {
  CHECK(fits_type("text/html", "Text/HTML; charset=utf-8"));
  CHECK(fits_type("text/html", "text/html ;charset=utf-8"));
  CHECK(fits_type("IMAGE/*", "image/png"));
  CHECK(fits_type("*", "anything"));
  CHECK_FALSE(fits_type("image/*", "imagery/png"));
  CHECK_FALSE(fits_type("text/html", "text/htm"));
  CHECK_FALSE(fits_type("text/*", ""));
}

TEST_CASE("a pattern is a type, a group of types, or all of them", "[media_type]") {
  for (const char* pattern : {"*", "text/html", "text/*", "application/vnd.x+json"})
    CHECK(is_type_pattern(pattern));
  for (const char* other : {"", "text", "text/", "/html", "*/*"}) CHECK_FALSE(is_type_pattern(other));
}
