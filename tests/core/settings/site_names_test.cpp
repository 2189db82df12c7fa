#include "settings/site_names.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace sluice;
using Catch::Matchers::Contains;

TEST_CASE("names of sites are hosts, or a wildcard before one", "[site_names]") {
  CHECK(*parse_site_name("Example.ORG") == "example.org");
  CHECK(*parse_site_name("example.org.") == "example.org");
  CHECK(*parse_site_name("*.example.org") == "*.example.org");
  CHECK(*parse_site_name("localhost") == "localhost");
  CHECK(*parse_site_name("127.0.0.1") == "127.0.0.1");
  CHECK(*parse_site_name("[0:0::1]") == "[::1]");
  CHECK(*parse_site_name(std::string(63, 'a') + ".b") == std::string(63, 'a') + ".b");
}

TEST_CASE("what is no name is refused with what to write", "[site_names]") {
  const auto why = [](const std::string& text) {
    const auto parsed = parse_site_name(text);
    REQUIRE_FALSE(parsed.has_value());
    return parsed.error().message;
  };
  CHECK_THAT(why("http://example.org"), Contains("without http://"));
  CHECK_THAT(why("example.org/a"), Contains("without a path"));
  CHECK_THAT(why("example.org:80"), Contains("without a port"));
  CHECK_THAT(why("*"), Contains("a site without names answers to every name"));
  CHECK_THAT(why("a.*.org"), Contains("a * stands alone and first"));
  CHECK_THAT(why("b\xc3\xbc"
                 "cher.example"),
             Contains("xn--"));
  for (const char* text : {"", ".", "a..b", ".a", "a b", "*.", "[::1", "[::x]", "a\tb"}) {
    INFO(text);
    CHECK_FALSE(parse_site_name(text).has_value());
  }
  CHECK_FALSE(parse_site_name(std::string(64, 'a')).has_value());
}

TEST_CASE("a name goes before a wildcard, and that before the default", "[site_names]") {
  SiteNames names;
  CHECK(names.find("a.example") == SiteNames::kNoSite);
  REQUIRE(names.add("a.example", 1));
  REQUIRE(names.add("*.a.example", 2));
  REQUIRE(names.add("x.a.example", 3));
  REQUIRE(names.add("[::1]", 4));
  CHECK_FALSE(names.add("a.example", 5));
  CHECK(names.find("a.example") == 1);
  CHECK(names.find("A.EXAMPLE.") == 1);
  CHECK(names.find("b.a.example") == 2);
  CHECK(names.find("x.a.example") == 3);
  CHECK(names.find("[::1]") == 4);
  CHECK(names.find("[0:0::0001]") == 4);
  for (const char* other : {"", "example", "c.b.a.example", ".a.example", "xa.example", "."}) {
    INFO(other);
    CHECK(names.find(other) == SiteNames::kNoSite);
  }
  CHECK(names.find(std::string(300, 'a')) == SiteNames::kNoSite);
  CHECK(names.some_site() == 1);
  REQUIRE(names.add_default(0));
  CHECK_FALSE(names.add_default(6));
  CHECK(names.find("c.b.a.example") == 0);
  CHECK(names.some_site() == 0);
  CHECK_FALSE(names.is_single());
}

TEST_CASE("one site alone answers to everything", "[site_names]") {
  SiteNames names;
  REQUIRE(names.add_default(7));
  CHECK(names.is_single());
  for (const char* host : {"", "a", "a.example", "..", "[::1]"}) CHECK(names.find(host) == 7);
}

TEST_CASE("names of random bytes are never taken for another", "[site_names]") {
  SiteNames names;
  REQUIRE(names.add("*.b.c", 1));
  REQUIRE(names.add("a.b.c", 2));
  std::mt19937 random(1);
  constexpr char kBytes[] = "abc...*A";
  for (int i = 0; i < 20'000; ++i) {
    std::string host;
    for (auto left = random() % 8; left > 0; --left) host += kBytes[random() % (sizeof(kBytes) - 1)];
    const std::uint32_t site = names.find(host);
    std::string plain;
    for (const char byte : host) plain += byte == 'A' ? 'a' : byte;
    if (plain.ends_with('.')) plain.pop_back();
    const bool is_below = plain.size() > 4 && plain.ends_with(".b.c") && plain.find('.') == plain.size() - 4;
    INFO(host);
    REQUIRE(site == (plain == "a.b.c" ? 2 : is_below ? 1 : SiteNames::kNoSite));
  }
}
