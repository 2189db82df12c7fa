// Names and values of field lines.
#include "http/http_fields.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

TEST_CASE("fields are known by name, whatever their case", "[http_fields]") {
  CHECK(field_id("Host") == FieldId::host);
  CHECK(field_id("hOST") == FieldId::host);
  CHECK(field_id("If-Unmodified-Since") == FieldId::if_unmodified_since);
  CHECK(field_id("TE") == FieldId::te);
  CHECK(field_id("") == FieldId::other);
  CHECK(field_id("Hos") == FieldId::other);
  CHECK(field_id("Hostx") == FieldId::other);
  CHECK(field_id(std::string(500, 'a')) == FieldId::other);
}

TEST_CASE("lists are searched member by member", "[http_fields]") {
  CHECK(list_has("close", "close"));
  CHECK(list_has("x, Close ;q=1,y", "close"));
  CHECK(list_has(",,\tclose\t,", "close"));
  CHECK_FALSE(list_has("closed", "close"));
  CHECK_FALSE(list_has("not close", "close"));
  CHECK_FALSE(list_has("", "close"));
}

TEST_CASE("a module cannot forge framing, nor split an answer", "[http_fields]") {
  CHECK(why_not_sendable("X-Mine", "a value") == nullptr);
  CHECK(why_not_sendable("X-Mine", "") == nullptr);
  CHECK(why_not_sendable("X-Mine", "caf\xc3\xa9") == nullptr);
  for (const char* value : {"a\r\nb", "a\nb", "a\rb", " a", "a\t", "a\x01", "a\x7f"}) {
    CHECK(why_not_sendable("X-Mine", value) != nullptr);
  }
  for (const char* name :
       {"", "a b", "a:", "a\r\n", "content-length", "Transfer-Encoding", "CONNECTION", "Date"}) {
    CHECK(why_not_sendable(name, "x") != nullptr);
  }
  std::string lines = "A: 1\r\nB: 2\r\na: 3\r\n";
  remove_field(lines, "a");
  CHECK(lines == "B: 2\r\n");
}
