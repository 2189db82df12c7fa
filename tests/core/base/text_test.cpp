#include "base/text.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice;

namespace {

TEST_CASE("letters are compared without their case, and no other bytes", "[text]") {
  CHECK(equals_ignoring_case("Content-TYPE", "content-type"));
  CHECK(equals_ignoring_case("", ""));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  // '@' and '`', '[' and '{' differ by the bit that tells letters apart.
  CHECK_FALSE(equals_ignoring_case("@[", "`{"));
  CHECK_FALSE(equals_ignoring_case("\xc4", "\xe4"));
}

TEST_CASE("blanks are taken off both ends", "[text]") {
  CHECK(trimmed(" \t a b\t ") == "a b");
  CHECK(trimmed("") == "");
  CHECK(trimmed(" \t") == "");
  CHECK(trimmed("\r a\r", " \t\r") == "a");
  CHECK(trimmed("\ra") == "\ra");
}

TEST_CASE("parts are taken off the front, one by one", "[text]") {
  const auto parts_of = [](std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    while (!text.empty()) parts.emplace_back(take_part(text, separators));
    return parts;
  };
  CHECK(parts_of("", ",").empty());
  CHECK(parts_of("a", ",") == std::vector<std::string>{"a"});
  CHECK(parts_of("a,,b,", ",") == std::vector<std::string>{"a", "", "b"});
  CHECK(parts_of("a;b\nc", ";\n") == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a number is digits alone, and fits", "[text]") {
  CHECK(parse_decimal("0") == 0U);
  CHECK(parse_decimal("007") == 7U);
  CHECK(parse_decimal("18446744073709551615") == ~std::uint64_t{0});
  for (const char* text : {"", "18446744073709551616", "+1", "-1", " 1", "1 ", "0x1", "1.0"}) {
    INFO(text);
    CHECK_FALSE(parse_decimal(text));
  }
}

}  // namespace
