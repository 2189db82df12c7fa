// kit/request.h: what a request says, judged strictly.
#include <sluice/kit/request.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice;

namespace {

struct Asked {
  std::vector<Field> fields;
  Request request;
  explicit Asked(std::vector<Field> lines) : fields(std::move(lines)) {
    request.fields = fields.data();
    request.field_count = static_cast<std::uint32_t>(fields.size());
  }
};

}  // namespace

TEST_CASE("numbers are digits and nothing else, up to their limit", "[kit]") {
  CHECK(kit::number("0") == 0);
  CHECK(kit::number("0042") == 42);
  CHECK(kit::number("18446744073709551615") == 18446744073709551615U);
  CHECK(kit::number("100", 100) == 100);
  for (const char* text :
       {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "99999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(kit::number(text));
  }
  CHECK_FALSE(kit::number("101", 100));
  CHECK_FALSE(kit::number("5", 4));
  CHECK_FALSE(kit::number("1000", 100));
}

TEST_CASE("a form's text is decoded, or refused", "[kit]") {
  CHECK(kit::form_decoded("a%20b+c%2Fd%c3%A4") == "a b c/d\xc3\xa4");
  CHECK(kit::form_decoded("") == "");
  CHECK(kit::form_decoded("%00") == std::string(1, '\0'));
  for (const char* text : {"%", "%2", "a%2", "%zz", "%2g", "%%41"}) {
    INFO(text);
    CHECK_FALSE(kit::form_decoded(text));
  }
}

TEST_CASE("a text is encoded so that a path has it, and nothing else", "[kit]") {
  CHECK(kit::path_encoded("a/b-c_d.e~9") == "a/b-c_d.e~9");
  CHECK(kit::path_encoded("%2e%2e?x=1#y z\xc3\xa4+;:@\\") == "%252e%252e%3Fx%3D1%23y%20z%C3%A4%2B%3B%3A%40%5C");
  CHECK(kit::path_encoded(std::string_view("\0\n", 2)) == "%00%0A");
  CHECK(kit::path_encoded("").empty());
  CHECK(kit::segment_encoded("a/../b c") == "a%2F..%2Fb%20c");
  for (const char* text : {"", ".", ".."}) CHECK_THROWS_AS(kit::segment_encoded(text), std::invalid_argument);
}

TEST_CASE("parameters have names, several of one name, and no more than allowed", "[kit]") {
  const auto parameters = kit::Parameters::parse("q=a+b&tag=x&&tag=y%26z&empty=&bare&=nameless&a=b=c");
  REQUIRE(parameters);
  CHECK(parameters->size() == 7);
  CHECK(*parameters->find("q") == "a b");
  CHECK(parameters->all("tag") == std::vector<std::string>{"x", "y&z"});
  CHECK(parameters->find("empty")->empty());
  CHECK(parameters->find("bare")->empty());
  CHECK(*parameters->find("") == "nameless");
  CHECK(*parameters->find("a") == "b=c");
  CHECK(parameters->find("Q") == nullptr);
  CHECK(parameters->all("none").empty());
  CHECK(kit::Parameters::parse("")->size() == 0);
  CHECK_FALSE(kit::Parameters::parse("a=%"));
  CHECK_FALSE(kit::Parameters::parse("%=a"));
  CHECK(kit::Parameters::parse("a&b&c", 3));
  CHECK_FALSE(kit::Parameters::parse("a&b&c&d", 3));
}

TEST_CASE("fields are found by name in any case, and by id", "[kit]") {
  const Asked asked({{"X-One", "1"}, {"Accept", "text/html", FieldId::accept}, {"x-one", "2"}});
  CHECK(kit::field(asked.request, "x-ONE") == "1");
  CHECK(kit::field(asked.request, FieldId::accept) == "text/html");
  CHECK_FALSE(kit::field(asked.request, "x-on"));
  CHECK_FALSE(kit::field(asked.request, FieldId::cookie));
}

TEST_CASE("cookies are found in all lines, and bad ones are not taken", "[kit]") {
  const Asked asked(
      {{"Cookie", "a=1; sid=\"abc\"; b=x y;c=;flag; long=a=b"}, {"cookie", "late=yes;a=2;q=\"1"}});
  CHECK(kit::cookie(asked.request, "a") == "1");
  CHECK(kit::cookie(asked.request, "sid") == "abc");
  CHECK(kit::cookie(asked.request, "c") == "");
  CHECK(kit::cookie(asked.request, "long") == "a=b");
  CHECK(kit::cookie(asked.request, "late") == "yes");
  for (const char* name : {"b", "q", "A", "flag", "", "none"}) {
    INFO(name);
    CHECK_FALSE(kit::cookie(asked.request, name));
  }
}

TEST_CASE("media types are small letters without parameters", "[kit]") {
  CHECK(kit::media_type("Text/HTML; charset=utf-8") == "text/html");
  CHECK(kit::media_type(" application/problem+json ") == "application/problem+json");
  for (const char* text : {"", "text", "text/", "/html", "te xt/html", "text/html/x", "text /html"}) {
    INFO(text);
    CHECK(kit::media_type(text).empty());
  }
  CHECK(kit::media_type(Asked({{"Content-type", "a/b"}}).request) == "a/b");
  CHECK(kit::media_type(Asked({}).request).empty());
}

TEST_CASE("parameters of media types may be quoted, and are judged", "[kit]") {
  CHECK(kit::media_parameter("multipart/form-data; Boundary=abc", "boundary") == "abc");
  CHECK(kit::media_parameter("a/b;x=\"p;q=\\\"r\";  y = z ;charset=utf-8", "x") == "p;q=\"r");
  CHECK(kit::media_parameter("a/b; x=\"p;q\" ; charset=utf-8;", "charset") == "utf-8");
  CHECK(kit::media_parameter("a/b;;charset=utf-8", "charset") == "utf-8");
  for (const char* text :
       {"a/b", "a/b; charset", "a/b; charset=", "a/b; charset=\"x", "a/b; charset=\"x\\", "a/b; charset=a b",
        "a/b; charset=\"x\"y", "a/b; bad; charset=x", "a/b; =x; charset=x"}) {
    INFO(text);
    CHECK_FALSE(kit::media_parameter(text, "charset"));
  }
}
