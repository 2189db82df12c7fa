// kit/json.h: texts and values as JSON.
#include <sluice/kit/json.h>

#include <catch2/catch.hpp>
#include <limits>
#include <string>

using namespace sluice;

namespace {

template <typename Value>
concept Written = requires(kit::JsonText json, Value value) {
  json.value(value);
};

}  // namespace

TEST_CASE("texts become strings of JSON, whatever their bytes", "[kit]") {
  CHECK(kit::json_string("") == "\"\"");
  CHECK(kit::json_string("a\"b\\c/\n\t\x01\x7f") == "\"a\\\"b\\\\c/\\n\\u0009\\u0001\\u007f\"");
  CHECK(kit::json_string(std::string(1, '\0')) == "\"\\u0000\"");
  for (const char* text :
       {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(kit::json_string(text) == "\"" + std::string(text) + "\"");
  }
}

TEST_CASE("bytes that are not UTF-8 are repaired, one by one", "[kit]") {
  const std::string mark = "\xef\xbf\xbd";
  CHECK(kit::json_string("a\xff"
                         "b") == "\"a" + mark + "b\"");
  CHECK(kit::json_string("\xc3") == "\"" + mark + "\"");                        // cut off
  CHECK(kit::json_string("\xc3(") == "\"" + mark + "(\"");                      // no second byte
  CHECK(kit::json_string("\xc0\xaf") == "\"" + mark + mark + "\"");             // longer than needed
  CHECK(kit::json_string("\xe0\x80\x80") == "\"" + mark + mark + mark + "\"");  // the same
  CHECK(kit::json_string("\xf0\x80\x80\x80").size() == 14);                     // the same
  CHECK(kit::json_string("\xed\xa0\x80") == "\"" + mark + mark + mark + "\"");  // half of a pair
  CHECK(kit::json_string("\xf4\x90\x80\x80").size() == 14);                     // above the last character
  CHECK(kit::json_string("\x80") == "\"" + mark + "\"");
}

TEST_CASE("values, objects and arrays have their commas", "[kit]") {
  kit::JsonText json;
  json.object().member("id", 7).member("name", "A\"da").member("ok", true).member("none", nullptr);
  json.key("tags").array().value(1.5).value(-3).value(std::string("x")).array().end().object().end().end();
  json.key("own").json("[1]").end();
  CHECK(json.dump() == R"({"id":7,"name":"A\"da","ok":true,"none":null,"tags":[1.5,-3,"x",[],{}],"own":[1]})");
  CHECK(kit::JsonText().value(std::numeric_limits<std::uint64_t>::max()).dump() == "18446744073709551615");
  CHECK(kit::JsonText().value(std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(kit::JsonText().array().end().dump() == "[]");
}

TEST_CASE("a text that is not complete is not given", "[kit]") {
  kit::JsonText json;
  CHECK_THROWS_AS(json.end(), std::logic_error);
  json.array();
  CHECK_THROWS_AS(json.dump(), std::logic_error);
  kit::JsonText deep;
  for (std::size_t i = 0; i < kit::JsonText::kDepthMax; ++i) deep.array();
  CHECK_THROWS_AS(deep.array(), std::logic_error);
}

TEST_CASE("what would be no JSON is not written", "[kit]") {
  CHECK_THROWS_AS(kit::JsonText().dump(), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().object().key("a").end(), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().object().key("a").key("b"), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().object().value(1), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().object().array(), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().array().key("a"), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().key("a"), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().value(1).value(2), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().array().end().array(), std::logic_error);
  CHECK_THROWS_AS(kit::JsonText().object().end().json("1"), std::logic_error);
}

TEST_CASE("a char is neither a text nor a number", "[kit]") {
  CHECK(Written<const char*>);
  CHECK(Written<std::uint8_t>);
  CHECK_FALSE(Written<char>);
}
