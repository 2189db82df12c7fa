#include "settings/mount_spec.h"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

using Catch::Matchers::Contains;

// The sentence with which a parser refuses.
std::string refusal(const Result<MountSpec>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

using Options = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a mount is a prefix and a module") {
  const auto mount = parse_mount("/docs/=static_sendfile");
  REQUIRE(mount);
  CHECK(mount->prefix == "/docs/");
  CHECK(mount->module == "static_sendfile");
  CHECK_FALSE(mount->root);
  CHECK(mount->options.empty());
}

TEST_CASE("a prefix is made to end with a slash") {
  CHECK(parse_mount("/docs=m")->prefix == "/docs/");
  CHECK(parse_mount("/=m")->prefix == "/");
  CHECK(parse_mount("/a/b=m")->prefix == "/a/b/");
  CHECK(parse_mount("/my files/...=m")->prefix == "/my files/.../");
}

TEST_CASE("prefixes that no request can have are refused") {
  CHECK_THAT(refusal(parse_mount("docs/=m")), Contains("'docs/': a prefix begins with '/'"));
  CHECK_THAT(refusal(parse_mount("=m")), Contains("a prefix begins with '/'"));
  CHECK_THAT(refusal(parse_mount("//=m")), Contains("has '//'"));
  CHECK_THAT(refusal(parse_mount("/a//b/=m")), Contains("has '//'"));
  CHECK_THAT(refusal(parse_mount("/a/./b=m")), Contains("segment '.'"));
  CHECK_THAT(refusal(parse_mount("/..=m")), Contains("segment '..'"));
  CHECK_THAT(refusal(parse_mount("/a%20b/=m")), Contains("has a '%'"));
  CHECK_THAT(refusal(parse_mount("/a?b/=m")), Contains("has a '?'"));
  CHECK_THAT(refusal(parse_mount("/a#b/=m")), Contains("has a '#'"));
  CHECK_THAT(refusal(parse_mount("/a\r\n/=m")), Contains("a control character in its prefix"));
}

TEST_CASE("a mount names a module") {
  CHECK_THAT(refusal(parse_mount("")), Contains("names no module: write PREFIX=MODULE"));
  CHECK_THAT(refusal(parse_mount("/docs/")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=:root=a")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=a.so")), Contains("a module named 'a.so'"));
  CHECK_THAT(refusal(parse_mount("/docs/=../a")), Contains("a module named '../a'"));
  CHECK(parse_mount("/docs/=Some-module_2")->module == "Some-module_2");
}

TEST_CASE("a module's options keep their order, and root is not one of them") {
  const auto mount = parse_mount("/d/=m:index=index.html,root=a/b,size=8k,empty=");
  REQUIRE(mount);
  CHECK(mount->root == "a/b");
  CHECK(mount->options == Options{{"index", "index.html"}, {"size", "8k"}, {"empty", ""}});
}

TEST_CASE("values may hold '=', ':' and escaped commas and backslashes") {
  const auto mount = parse_mount(R"(/d/=m:a=x=y:z,b=one\,two\\three,c=\,)");
  REQUIRE(mount);
  CHECK(mount->options == Options{{"a", "x=y:z"}, {"b", "one,two\\three"}, {"c", ","}});
}

TEST_CASE("malformed options are refused") {
  for (const char* text : {"/=m:", "/=m:a=1,", "/=m:,a=1", "/=m:a=1,,b=2", "/=m:=1"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_mount(text)), Contains("has no option behind a ':' or ','"));
  }
  CHECK_THAT(refusal(parse_mount("/=m:a")), Contains("'a' without a value"));
  CHECK_THAT(refusal(parse_mount("/=m:a,b=1")), Contains("'a' without a value"));
  CHECK_THAT(refusal(parse_mount("/=m:a b=1")), Contains("an option named 'a b'"));
  CHECK_THAT(refusal(parse_mount("/=m:root=a,root=b")), Contains("gives the option 'root' twice"));
  CHECK_THAT(refusal(parse_mount("/=m:root=")), Contains("an empty root"));
  CHECK_THAT(refusal(parse_mount(R"(/=m:a=x\y)")), Contains("a lone backslash in the value of 'a'"));
  CHECK_THAT(refusal(parse_mount(R"(/=m:a=x\)")), Contains("a lone backslash"));
}

TEST_CASE("an isolated mount has an address of its own, and no other mount has") {
  const auto mount = parse_mount("/a/=m:isolate=on,listen=127.0.0.1:81,x=1");
  REQUIRE(mount);
  CHECK(mount->isolate);
  CHECK(mount->listen->text == "127.0.0.1:81");
  CHECK(mount->options.size() == 1);
  CHECK_FALSE(parse_mount("/a/=m:isolate=off")->isolate);
  CHECK_THAT(refusal(parse_mount("/a/=m:isolate=on")),
             Contains("has no address of its own: add listen=ADDRESS"));
  CHECK_THAT(refusal(parse_mount("/a/=m:listen=:81")), Contains("is not isolated: add isolate=on"));
  CHECK_THAT(refusal(parse_mount("/a/=m:isolate=maybe,listen=:81")), Contains("neither on nor off"));
  CHECK_THAT(refusal(parse_mount("/a/=m:isolate=on,listen=:x")), Contains("a port is a number"));
  CHECK_THAT(refusal(parse_mount("/a/=m:isolate=on,listen=:81,listen=:82")), Contains("twice"));
  for (const char* twice : {"/a/=m:isolate=on,isolate=on,listen=:81", "/a/=m:isolate=off,isolate=on,listen=:81",
                            "/a/=m:isolate=on,isolate=off", "/a/=m:isolate=off,isolate=off"}) {
    CHECK_THAT(refusal(parse_mount(twice)), Contains("gives the option 'isolate' twice: give it once"));
  }
}

}  // namespace
