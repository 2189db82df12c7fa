// Lists with weights, and what html_wish makes of Accept.
#include "common/http/quality_list.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/http/html_wish.h"

using namespace sluice::files;
using sluice::Field;
using sluice::FieldId;

namespace {

std::string read(std::string_view list) {
  std::string text;
  while (!list.empty()) {
    const WeightedMember member = take_weighted_member(list);
    text.append(text.empty() ? "" : " ").append(member.name).append("=");
    text += member.weight ? std::to_string(*member.weight) : "bad";
    if (member.has_parameters) text += "+";
  }
  return text;
}

HtmlWish wish(const std::vector<std::string>& lines) {
  std::vector<Field> fields;
  for (const std::string& line : lines) fields.push_back({"Accept", line, FieldId::accept});
  sluice::Request request;
  request.fields = fields.data();
  request.field_count = static_cast<std::uint32_t>(fields.size());
  return html_wish(request);
}

}  // namespace

TEST_CASE("members of a list have a name and a weight", "[quality_list]") {
  CHECK(read("gzip, br;q=0.5") == "gzip=1000 br=500");
  CHECK(read("a;Q=1.000,b ; q=0.001") == "a=1000 b=1");
  CHECK(read(",,") == "=1000 =1000");
  for (const char* weight : {"", "2", "1.001", ".5", "0.1234", "-1", "+1", "1e0", " 1", "00"}) {
    INFO(weight);
    CHECK(read("a;q=" + std::string(weight)) == "a=bad");
  }
}

TEST_CASE("a member's other parameters are noticed", "[quality_list]") {
  CHECK(read("a;level=1") == "a=1000+");
  CHECK(read("a;level=1;q=0.5") == "a=500+");
  CHECK(read("a;q=0.5;level=1") == "a=500+");
  CHECK(read("a;q=0.5;q=1") == "a=500+");
  CHECK(read("a;") == "a=1000+");
  CHECK(read("a;;q=0.5") == "a=500+");
  CHECK(read("a;x=\"1,2;q=0\", b") == "a=1000+ b=1000");
  CHECK(read("a;x=\"\\\",\", b") == "a=1000+ b=1000");
  CHECK(read("a;x=\"1, b") == "a=1000+");
}

TEST_CASE("a client names a page, takes one, or does not", "[html_wish]") {
  CHECK(wish({}) == HtmlWish::allowed);
  CHECK(wish({""}) == HtmlWish::allowed);
  CHECK(wish({"text/html,application/xml;q=0.9,*/*;q=0.8"}) == HtmlWish::named);
  CHECK(wish({"application/xhtml+xml"}) == HtmlWish::named);
  CHECK(wish({"Text/HTML;level=1"}) == HtmlWish::named);
  CHECK(wish({"*/*"}) == HtmlWish::allowed);
  CHECK(wish({"image/png", "text/*;q=0.1"}) == HtmlWish::allowed);
  CHECK(wish({"image/png, */*;q=0"}) == HtmlWish::refused);
  CHECK(wish({"image/png"}) == HtmlWish::refused);
  CHECK(wish({"text/html;q=0, */*"}) == HtmlWish::refused);
  CHECK(wish({"*/*, text/html;q=0.000"}) == HtmlWish::refused);
  CHECK(wish({"text/html", "text/html;q=0"}) == HtmlWish::refused);
  CHECK(wish({"text/html;q=0", "text/html"}) == HtmlWish::refused);
  CHECK(wish({"image/png;x=\", text/html\""}) == HtmlWish::refused);
  CHECK(wish({"text/html;q=x"}) == HtmlWish::named);  // a weight that nobody understands forbids nothing
}
