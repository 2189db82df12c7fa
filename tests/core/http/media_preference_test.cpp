// Accept, RFC 9110 section 12.5.1: whether a client prefers plain text or HTML.
#include "http/media_preference.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using sluice::Field;
using sluice::FieldId;
using sluice::prefers_media_type;
using sluice::Request;

namespace {

struct Case {
  const char* rule;
  std::vector<std::string> lines;
  bool text;  // is preferred to HTML
};

const Case kCases[] = {
    {"no field", {}, false},
    {"an empty field", {""}, false},
    {"only white space and commas", {" , ,\t"}, false},
    {"anything", {"*/*"}, false},
    {"any text", {"text/*"}, false},
    {"text", {"text/plain"}, true},
    {"HTML", {"text/html"}, false},
    {"neither", {"image/png"}, false},
    {"both alike", {"text/plain, text/html"}, false},
    {"text, or anything: it is named", {"text/plain, */*"}, true},
    {"names ignore case", {"TEXT/Plain;Q=1"}, true},
    {"no part of a name counts", {"text/plai, text/plainer, ext/plain, text"}, false},
    {"several lines are one list", {"text/html;q=0.5", "text/plain"}, true},
    // weights (12.4.2)
    {"the heavier", {"text/html;q=0.5, text/plain;q=0.6"}, true},
    {"the heavier, by a thousandth", {"text/html;q=0.500,text/plain;q=0.501"}, true},
    {"the heavier is HTML", {"text/html;q=0.6, text/plain;q=0.5"}, false},
    {"HTML is ruled out", {"text/html;q=0, text/plain"}, true},
    {"HTML is ruled out, anything else is not", {"text/html;q=0.000, */*;q=0.001"}, true},
    {"HTML is ruled out, and nothing is said of text", {"text/html;q=0"}, true},
    {"text is ruled out", {"text/plain;q=0"}, false},
    {"text is ruled out, and nothing else", {"text/plain;q=0, */*"}, false},
    {"everything is ruled out", {"*/*;q=0"}, false},
    {"white space around the semicolon", {"text/html \t;\t q=0.1 , text/plain ; q=0.2"}, true},
    // the most precise range counts, at any place
    {"a name before its kind", {"text/*, text/html;q=0.1"}, true},
    {"a name before anything", {"text/html;q=0.1, */*"}, true},
    {"a kind before anything", {"*/*, text/*;q=0"}, false},
    {"one range twice: the smaller weight", {"text/html, text/html;q=0.1, text/plain;q=0.5"}, true},
    {"one range twice, in the other order", {"text/html;q=0.1, text/html, text/plain;q=0.5"}, true},
    // parameters
    {"a charset is let pass", {"text/plain;charset=iso-8859-1"}, true},
    {"a charset and a weight", {"text/plain; charset=utf-8; q=0.9, text/html;q=0.8"}, true},
    {"a parameter makes another type of it", {"text/plain;format=flowed"}, false},
    {"a comma inside quotes ends no range", {R"(text/html;a="x, text/plain, y\", z")"}, false},
    {"a semicolon inside quotes ends no parameter", {R"(text/plain;charset="x;q=0")"}, true},
    {"a parameter behind the weight is not one of the type", {"text/plain;q=0.5;x=y"}, true},
    {"an empty parameter", {"text/plain;;q=0.5;"}, true},
    // malformed: the range is ignored
    {"more than 1", {"text/plain;q=1.001"}, false},
    {"four decimals", {"text/plain;q=0.1234"}, false},
    {"no digits", {"text/plain;q="}, false},
    {"no equals sign", {"text/plain;q"}, false},
    {"no number", {"text/plain;q=0.x"}, false},
    {"an open quote", {"text/plain;charset=\"\\"}, true},
    {"wildcards where none may be", {"*/plain, */*/*, *"}, false},
};

}  // namespace

TEST_CASE("Accept says whether plain text is preferred to HTML", "[accept]") {
  for (const Case& expected : kCases) {
    CAPTURE(expected.rule, expected.lines);
    std::vector<Field> fields = {{"Accept-Language", "text/plain", FieldId::accept_language}};
    for (const std::string& line : expected.lines) fields.push_back({"Accept", line, FieldId::accept});
    Request request;
    request.fields = fields.data();
    request.field_count = static_cast<std::uint32_t>(fields.size());
    CHECK(prefers_media_type(request, "text/plain", "text/html") == expected.text);
  }
}
