// Cells in columns, durations and lists of names.
#include "control/text_table.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("cells stand in columns", "[text_table]") {
  CHECK(text_table({{"A", "B"}, {"long", "x"}, {"", "y"}}) == "A     B\nlong  x\n      y\n");
}

TEST_CASE("a duration has two units", "[text_table]") {
  CHECK(duration_text(999) == "0s");
  CHECK(duration_text(61'000) == "1m 1s");
  CHECK(duration_text(3'600'000) == "1h 0m");
  CHECK(duration_text(90'000'000) == "1d 1h");
}

TEST_CASE("of many names the first ones are shown", "[text_table]") {
  CHECK(some_names({}) == "");
  CHECK(some_names({"a", "b"}) == "a, b");
  CHECK(some_names({"a", "b", "c", "d", "e", "f"}) == "a, b, c, d, and 2 more");
}
