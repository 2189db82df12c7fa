#include "http/authority.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

TEST_CASE("authorities that are well-formed (RFC 3986 section 3.2)") {
  for (const char* text : {"a", "example.org", "example.org:80", "example.org:", "127.0.0.1:8080", "a:65535",
                           "[::1]", "[::1]:80", "[2001:db8::1]:", "[::ffff:192.0.2.1]", "[v1.x]", "[vF.a:b]:80",
                           "a_b", "a-b.~c", "a%20b", "a!$&'()*+;=b"}) {
    INFO(text);
    CHECK(is_authority(text));
    CHECK(is_host_field(text));
  }
}

TEST_CASE("authorities that are not well-formed") {
  using namespace std::string_literals;
  for (const std::string& text :
       {":80"s,      "a:b"s,        "a:-1"s,        "a:+1"s,  "a:65536"s, "a:99999999999"s, "a:80:80"s,
        "u@a"s,      "u:p@a"s,      "a/b"s,         "a?b"s,   "a#b"s,     "a b"s,           " a"s,
        "a,b"s,      "a%"s,         "a%2"s,         "a%2g"s,  "[::1"s,    "::1"s,           "[::1]80"s,
        "[::1]:x"s,  "[]"s,         "[a]"s,         "[v1.]"s, "[v.a]"s,   "[vg.a]"s,        "[v1]"s,
        "[v1.a/b]"s, "[::1%eth0]"s, "[127.0.0.1]"s, "a\"b"s,  "a\\b"s,    "a<b"s,           "\xc3\xa9"s,
        "a\0b"s,     "[::1\0]"s}) {
    INFO(text);
    CHECK_FALSE(is_authority(text));
    CHECK_FALSE(is_host_field(text));
  }
}

TEST_CASE("a Host may be empty, an authority not") {
  CHECK(is_host_field(""));
  CHECK_FALSE(is_authority(""));
}

}  // namespace
