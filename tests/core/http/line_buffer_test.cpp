// Lines put together of pieces.
#include "http/line_buffer.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

using namespace sluice;

namespace {

char* as_question_mark(char* to, unsigned char) {
  *to++ = '?';
  return to;
}

}  // namespace

TEST_CASE("pieces of a line follow each other", "[line_buffer]") {
  LineBuffer line;
  CHECK(line.text().empty());
  line.add("a literal, ");
  line.add(std::string_view("a text"));
  line.add(',');
  line.add(std::string_view());
  line.add_number(0);
  line.add(' ');
  line.add_number(std::numeric_limits<std::uint64_t>::max());
  CHECK(line.text() == "a literal, a text,0 18446744073709551615");
  line.clear();
  CHECK(line.text().empty());
  line.add("again");
  CHECK(line.text() == "again");
  line.give_back_above(0);
  CHECK(line.text().empty());
}

TEST_CASE("fractions have all of their digits", "[line_buffer]") {
  const auto text = [](auto add) {
    LineBuffer line;
    add(line);
    return std::string(line.text());
  };
  CHECK(text([](LineBuffer& line) { line.add_fraction<3>(1500); }) == "1.500");
  CHECK(text([](LineBuffer& line) { line.add_fraction<3>(7); }) == "0.007");
  CHECK(text([](LineBuffer& line) { line.add_fraction<6>(1'796'134'784'010'162); }) == "1796134784.010162");
  CHECK(text([](LineBuffer& line) { line.add_fraction<9>(0); }) == "0.000000000");
}

TEST_CASE("bytes that are not plain are escaped", "[line_buffer]") {
  std::string all;
  std::string expected;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    all += c;
    expected += byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' ? c : '?';
  }
  LineBuffer line;
  line.add_escaped(all, as_question_mark);
  CHECK(line.text() == expected);
  line.clear();
  line.add_escaped({}, as_question_mark);
  CHECK(line.text().empty());
}

TEST_CASE("a line grows as far as its pieces need", "[line_buffer]") {
  LineBuffer line;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    line.add(std::string_view(piece));
    line.add_escaped(std::string_view("\x01\n", 2),
                     [](char* to, unsigned char) { return std::copy_n("123456", 6, to); });
    expected += piece + "123456123456";
  }
  CHECK(line.text() == expected);
}
