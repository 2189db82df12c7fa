// kit/forms.h: forms of both types, and what is refused.
#include <sluice/kit/forms.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

const std::string kType = "multipart/form-data; boundary=\"a b\"";

std::string part(const std::string& head, const std::string& content) {
  return "--a b\r\n" + head + "\r\n\r\n" + content + "\r\n";
}
std::string named(const std::string& name, const std::string& content) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", content);
}
const std::string kEnd = "--a b--\r\n";

// The status, and why.
std::string refusal(const std::string& type, const std::string& content, std::size_t parts_max = 100) {
  try {
    kit::Form::read(type, content, parts_max);
  } catch (const kit::Refuse& refused) {
    return std::to_string(refused.status) + " " + refused.detail;
  }
  return "taken";
}

}  // namespace

TEST_CASE("a form of names and values is read", "[kit]") {
  const auto form = kit::Form::read("application/x-www-form-urlencoded; charset=utf-8", "a=1+2&b=%C3%A4&a=3");
  CHECK(form.size() == 3);
  CHECK(form.find("a")->content == "1 2");
  CHECK_FALSE(form.find("a")->file_name);
  CHECK(form.find("b")->content == "\xc3\xa4");
  CHECK(form.find("c") == nullptr);
  CHECK_THAT(refusal("application/x-www-form-urlencoded", "a=%"), Contains("400 "));
  CHECK_THAT(refusal("application/x-www-form-urlencoded", "a&b&c", 2), Contains("400 "));
  CHECK_THAT(refusal("text/plain", "a=1"), Contains("415 "));
  CHECK_THAT(refusal("", "a=1"), Contains("415 "));
}

TEST_CASE("a form with files is read, whatever the files have in them", "[kit]") {
  const std::string bytes("\0\r\n--a \r\n-- a b\r\n\xff", 19);
  const auto form = kit::Form::read(
      kType,
      named("text", "one") + named("empty", "") +
          part("content-disposition:form-data;filename=\"x%22\\\"y%0A.png\" ; name=photo\r\nX-Other: 1\r\n"
               "Content-Type: Image/PNG; q=1",
               bytes) +
          part("Content-Disposition: form-data; name=\"none\"; filename=\"\"", "") + kEnd);
  REQUIRE(form.size() == 4);
  CHECK(form.find("text")->content == "one");
  CHECK_FALSE(form.find("text")->file_name);
  CHECK(form.find("empty")->content.empty());
  const kit::FormPart& photo = *form.find("photo");
  CHECK(photo.file_name == "x\"\"y\n.png");
  CHECK(photo.type == "image/png");
  CHECK(photo.content == bytes);
  CHECK(form.find("none")->file_name == "");
  CHECK(kit::Form::read(kType, "--a b--").size() == 0);
}

TEST_CASE("backslashes in names are themselves, as browsers write them", "[kit]") {
  const std::map<std::string, std::string> names{
      {R"(dir\pic.png)", R"(dir\pic.png)"},
      {R"(\\a\\b)", R"(\\a\\b)"},
      {R"(odd\)", R"(odd\)"},
      {R"(\)", R"(\)"},
      {R"(a\"b)", R"(a"b)"},
      {R"(a\")", R"(a")"},
      {R"(\"a\)", R"("a\)"},
  };
  for (const auto& [written, name] : names) {
    INFO(written);
    for (const std::string& head :
         {"name=x; filename=\"" + written + "\"", "filename=\"" + written + "\" ; name=x"}) {
      const auto form = kit::Form::read(kType, part("Content-Disposition: form-data; " + head, "1") + kEnd);
      REQUIRE(form.find("x") != nullptr);
      CHECK(form.find("x")->file_name == name);
    }
    CHECK(kit::Form::read(kType, named(written, "1") + kEnd).find(name) != nullptr);
  }
}

TEST_CASE("blanks may follow a boundary", "[kit]") {
  const std::string head = "Content-Disposition: form-data; name=a";
  const auto form = kit::Form::read(
      kType, "--a b \t\r\n" + head + "\r\n\r\n1\r\n--a b \r\n" + head + "\r\n\r\n2\r\n--a b--\t \r\n");
  REQUIRE(form.size() == 2);
  CHECK(form.begin()->content == "1");
  CHECK((form.begin() + 1)->content == "2");
  CHECK(kit::Form::read(kType, "--a b-- ").size() == 0);
}

TEST_CASE("a multipart form that is not well formed is refused", "[kit]") {
  const std::map<std::string, std::string> wrong{
      {"", "does not begin with its boundary"},
      {"x" + named("a", "1") + kEnd, "does not begin with its boundary"},
      {"--a b", "a line goes on"},
      {"--a b \r\n", "has no head"},
      {"--a b x\r\n", "a line goes on"},
      {"--a b --\r\n", "a line goes on"},
      {"--a b-- x", "something follows"},
      {"--a b\r\n", "has no head"},
      {named("a", "1"), "has no end"},
      {named("a", "1") + "--a bc--\r\n", "a line goes on"},
      {"--a b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "has no end"},
      {named("a", "1") + kEnd + "x", "something follows"},
      {part("Content-Disposition: form-data", "1") + kEnd, "not one name"},
      {part("Content-Disposition: attachment; name=a", "1") + kEnd, "not one name"},
      {part("Content-Type: a/b", "1") + kEnd, "not one name"},
      {part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", "1") + kEnd,
       "not one name"},
      {part("Content-Disposition: form-data;\r\n name=a", "1") + kEnd, "not one name"},
      {part("Content-Disposition: form-data; name=a\r\nno field", "1") + kEnd, "no field"},
      {part("Content-Disposition: form-data; name=\"a\nb\"", "1") + kEnd, "no field"},
      {part("Content-Disposition: form-data; name=\"" + std::string(5000, 'x') + "\"", "1") + kEnd, "too long"},
  };
  for (const auto& [content, why] : wrong) {
    INFO(content);
    CHECK_THAT(refusal(kType, content), Contains("400 ") && Contains(why));
  }
  CHECK_THAT(refusal("multipart/form-data", kEnd), Contains("no boundary"));
  CHECK_THAT(refusal("multipart/form-data; boundary=" + std::string(71, 'x'), kEnd), Contains("no boundary"));
  CHECK(refusal(kType, named("a", "") + named("b", "") + kEnd, 2) == "taken");
  CHECK_THAT(refusal(kType, named("a", "") + named("b", "") + kEnd, 1), Contains("413 "));
}
