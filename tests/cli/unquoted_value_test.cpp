#include "unquoted_value.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

namespace {

TEST_CASE("a value without quotes gets them") {
  CHECK(with_quotes("root = /srv") == "root = \"/srv\"");
  CHECK(with_quotes("root=/srv # here") == "root = \"/srv\"");
  CHECK(with_quotes("root = /a#b") == "root = \"/a#b\"");
  CHECK(with_quotes("listen = [::1]:80") == "listen = \"[::1]:80\"");
  CHECK(with_quotes("listen = [:80, \"*:81\"]") == "listen = [\":80\", \"*:81\"]");
  CHECK(with_quotes(R"(root = a"b\c)") == R"(root = "a\"b\\c")");
}

TEST_CASE("what has quotes, or is no key with a value, is left alone") {
  for (const char* line : {"", "a", "= b", "a =", "a = \"b", "a = 'b", "a = {", "a b = c", "k = [\"a\", \"b\"]",
                           "[site]", "k = [a,,b]"}) {
    INFO(line);
    CHECK_FALSE(with_quotes(line).has_value());
  }
}

}  // namespace
