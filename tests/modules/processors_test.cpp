#include <catch2/catch.hpp>

#include "dynamic_aio/processors.cpp"  // the module exports no symbol to link with

using sluice::MarkersProcessor;
using sluice::Processor;
using sluice::UpperProcessor;

namespace {

// Feeds all of the input, `piece` bytes at a time, and repeats a call until it has taken its piece.
template <typename Make>
std::string process(Make make, std::string_view input, std::size_t piece) {
  auto processor = make();
  std::string all;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (!part.empty()) {
      std::string output;
      const std::size_t used = processor.feed(part, output);
      REQUIRE(used > 0);
      REQUIRE(used <= part.size());
      part.remove_prefix(used);
      all += output;
    }
  }
  processor.finish(all);
  return all;
}

template <typename Make>
std::string process_in_two(Make make, std::string_view input, std::size_t cut) {
  auto processor = make();
  std::string all;
  REQUIRE(processor.feed(input.substr(0, cut), all) == cut);
  REQUIRE(processor.feed(input.substr(cut), all) == input.size() - cut);
  processor.finish(all);
  return all;
}

std::string marker_of_size(std::size_t size) {
  std::string marker = "<!--# date";
  marker.resize(size - 3, ' ');
  return marker.append("-->");
}

MarkersProcessor markers() {
  return MarkersProcessor({"DATE", "/a&amp;b", "MTIME"});
}
UpperProcessor upper() {
  return UpperProcessor();
}

}  // namespace

TEST_CASE("upper-casing changes ASCII letters only, and expands tabs", "[processors]") {
  CHECK(process(upper, "abcXYZ123\xC3\xA4{`~@[", 100) == "ABCXYZ123\xC3\xA4{`~@[");
  CHECK(process(upper, "\ta", 100) == "        A");
  CHECK(process(upper, "abc\td", 100) == "ABC     D");
  CHECK(process(upper, "12345678\tx", 100) == "12345678        X");
  CHECK(process(upper, "1234567\tx", 100) == "1234567 X");
  CHECK(process(upper, "abc\n\tx\t\ty", 100) == "ABC\n        X               Y");
}

TEST_CASE("markers are replaced by values", "[processors]") {
  CHECK(process(markers, "a<!--# date -->b", 100) == "aDATEb");
  CHECK(process(markers, "<!--# path --><!--# mtime -->", 100) == "/a&amp;bMTIME");
  CHECK(process(markers, "<!--#date--><!--#\n\tdate\r\n-->", 100) == "DATEDATE");
}

TEST_CASE("other text passes through unchanged", "[processors]") {
  for (const std::string text : {"<!-- date -->", "<!--# other -->", "<!--# Date -->", "<!--# da te -->",
                                 "<!--#-->", "<!--#  -->", "<", "<<<", "<!--", "<!--#", "<!--# date",
                                 "<!--# date --", "<!--# date --x", "a < b --> c", "<!--# date -- >"}) {
    CAPTURE(text);
    CHECK(process(markers, text, 1000) == text);
  }
  CHECK(process(markers, "<<!--# date -->", 100) == "<DATE");
  CHECK(process(markers, "<!--# <!--# date -->", 100) == "<!--# DATE");
  CHECK(process(markers, "<!--# date --><!--# date", 100) == "DATE<!--# date");
}

TEST_CASE("a marker of 256 bytes is one, a longer one is text", "[processors]") {
  const std::string longest = marker_of_size(256);
  CHECK(process(markers, longest, 1000) == "DATE");
  const std::string longer = marker_of_size(257);
  CHECK(process(markers, longer, 1000) == longer);
  std::string both = longer;
  both.append(longest);
  std::string replaced = longer;
  replaced.append("DATE");
  CHECK(process(markers, both, 7) == replaced);
  both.assign(255, '<');
  replaced = both;
  both.append(longest);
  replaced.append("DATE");
  CHECK(process(markers, both, 7) == replaced);
}

TEST_CASE("the output does not depend on where the input is cut", "[processors]") {
  const std::string text =
      "x<!--# date -->\ty<<!--# path -->z<!--# nope --><!--#mtime--><!-- c -->\tq\n\t<!--# <!--# date --> "
      "<!--# da";
  const std::string marked = process(markers, text, text.size());
  const std::string raised = process(upper, text, text.size());
  REQUIRE(marked == "xDATE\ty</a&amp;bz<!--# nope -->MTIME<!-- c -->\tq\n\t<!--# DATE <!--# da");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    CHECK(process_in_two(markers, text, cut) == marked);
    CHECK(process_in_two(upper, text, cut) == raised);
  }
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CHECK(process(markers, text, piece) == marked);
    CHECK(process(upper, text, piece) == raised);
  }
}

TEST_CASE("a call's output is bounded", "[processors]") {
  UpperProcessor tabs;
  std::string output;
  const std::size_t used = tabs.feed(std::string(100'000, '\t'), output);
  CHECK(used == Processor::kOutputMax / 8);
  CHECK(output.size() == Processor::kOutputMax);

  MarkersProcessor values({"", std::string(1000, 'p'), ""});
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "<!--#path-->";
  output.clear();
  CHECK(values.feed(many, output) < many.size());
  CHECK(output.size() < Processor::kOutputMax + 1000);
  output.assign(Processor::kOutputMax, 'x');
  CHECK(values.feed("abc", output) == 0);

  MarkersProcessor plain({"", "", ""});
  output.clear();
  CHECK(plain.feed(std::string(100'000, 'a'), output) == Processor::kOutputMax);
  CHECK(output.size() == Processor::kOutputMax);
}
