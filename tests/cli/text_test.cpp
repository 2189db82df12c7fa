#include <catch2/catch.hpp>

#include "spelling.h"
#include "text_layout.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

TEST_CASE("text is indented behind its head") {
  CHECK(hanging("ab", 4, "one two") == "ab  one two\n");
  CHECK(hanging("ab", 4, "") == "ab\n");
  CHECK(hanging("abcd", 4, "one") == "abcd\n    one\n");
  CHECK(hanging("ab", 0, "one") == "ab\none\n");
  CHECK(hanging("", 0, "  one   two  ") == "one two\n");
  const std::string long_word(100, 'x');
  CHECK(hanging("a", 2, "b " + long_word + " c") == "a b\n  " + long_word + "\n  c\n");
}

TEST_CASE("control bytes are shown escaped") {
  CHECK(printable("a\x1b[1m\n\x7f\xc3\xa9") == "a\\x1b[1m\\x0a\\x7f\xc3\xa9");
}

TEST_CASE("no line is longer than 80 columns") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "word ";
  const std::string out = hanging("head", 30, text);
  for (std::size_t start = 0; start < out.size();) {
    const std::size_t end = out.find('\n', start);
    CHECK(end - start <= 80);
    start = end + 1;
  }
}

TEST_CASE("the nearest word") {
  const std::vector<std::string_view> known{"listen", "workers", "without", "root"};
  CHECK(nearest_word("lisen", known) == "listen");
  CHECK(nearest_word("worker", known) == "workers");
  CHECK(nearest_word("listen", known) == "listen");
  CHECK_FALSE(nearest_word("xy", known));
  CHECK_FALSE(nearest_word("", known));
  CHECK_FALSE(nearest_word("something", known));
  CHECK_FALSE(nearest_word(std::string(1000, 'w'), known));
}

TEST_CASE("words of other servers are understood, and never confused with similar ones") {
  const std::vector<std::string_view> known{"listen", "workers", "root", "check"};
  CHECK(likely_word("port", known) == "listen");
  CHECK(likely_word("threads", known) == "workers");
  CHECK(likely_word("t", known) == "check");
  CHECK(likely_word("lisen", known) == "listen");
  CHECK_FALSE(likely_word("verbose", known));  // sluice has nothing like it
}

}  // namespace
