#include "base/mistakes.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("each mistake has a line of its own", "[mistakes]") {
  Mistakes mistakes;
  CHECK(mistakes.result());
  mistakes.add("", Error{"one"});
  mistakes.take(fail("two"), "here");
  mistakes.take({});
  Mistakes others;
  others.add("", Error{"three"});
  others.add("", Error{"typed\nin two lines"});
  CHECK_FALSE(mistakes.merge(others.result()));
  CHECK(mistakes.merge(Mistakes().result()));
  CHECK(mistakes.result().error().message == "one\nhere: two\nthree\ntyped\\x0ain two lines");
}
