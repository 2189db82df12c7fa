#include "http/target_path.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "base/percent_encoding.h"
#include "support/slow_target_path.h"

using namespace sluice;

namespace {

void check_invariants(std::string_view path) {
  REQUIRE(path.front() == '/');
  CHECK(path.find('\0') == std::string_view::npos);
  CHECK(path.find("//") == std::string_view::npos);
  for (const std::string_view segment : {"/./", "/../"}) CHECK(path.find(segment) == std::string_view::npos);
  for (const std::string_view end : {"/.", "/.."}) {
    CHECK_FALSE((path.size() >= end.size() && path.substr(path.size() - end.size()) == end));
  }
}

struct Row {
  const char* target;
  std::uint32_t status;  // 0: not refused
  const char* path;
  const char* query;
};

const Row kRows[] = {
    {"/", 0, "/", ""},
    {"/a/b.txt", 0, "/a/b.txt", ""},
    {"/a?b=c", 0, "/a", "b=c"},
    {"/a?b?c", 0, "/a", "b?c"},
    {"/a?", 0, "/a", ""},
    {"/?/../..", 0, "/", "/../.."},
    {"/a%20b", 0, "/a b", ""},
    {"/%41%7e%7E", 0, "/A~~", ""},
    {"/a+b", 0, "/a+b", ""},
    {"/%252e%252e/x", 0, "/%2e%2e/x", ""},  // decoded only once
    {"/a%3fb", 0, "/a?b", ""},
    {"/a%23b", 0, "/a#b", ""},
    {"/a%5cb", 0, "/a\\b", ""},
    {"/caf%c3%a9", 0, "/caf\xc3\xa9", ""},
    {"/a?%2e%00", 0, "/a", "%2e%00"},  // queries are not changed
    {"//", 0, "/", ""},
    {"//a//b//", 0, "/a/b/", ""},
    {"/.", 0, "/", ""},
    {"/./a/./b/.", 0, "/a/b/", ""},
    {"/a/..", 0, "/", ""},
    {"/a/../b", 0, "/b", ""},
    {"/a/b/..", 0, "/a/", ""},
    {"/a/b/../../c", 0, "/c", ""},
    {"/a//../b", 0, "/b", ""},
    {"/a/%2e%2E/b", 0, "/b", ""},
    {"/...", 0, "/...", ""},
    {"/..a/.b", 0, "/..a/.b", ""},
    {"/a..", 0, "/a..", ""},
    {"/..", 404, "", ""},
    {"/../a", 404, "", ""},
    {"/a/../../b", 404, "", ""},
    {"/%2e%2e/a", 404, "", ""},
    {"/.%2e/a", 404, "", ""},
    {"/a/%2e./../b", 404, "", ""},
    {"/a%2fb", 404, "", ""},
    {"/..%2f", 404, "", ""},
    {"/%", 400, "", ""},
    {"/%4", 400, "", ""},
    {"/%g0", 400, "", ""},
    {"/%0g", 400, "", ""},
    {"/%4/a", 400, "", ""},
    {"/a%00", 400, "", ""},
    {"/%00/../..", 400, "", ""},
    {"*", 0, "*", ""},
    {"*a", 400, "", ""},
    {"a", 400, "", ""},
    {"a/b", 400, "", ""},
    {"?a", 400, "", ""},
    {"a:80", 400, "", ""},
    {"http://a", 0, "/", ""},
    {"http://a/", 0, "/", ""},
    {"http://a:80/b/../c?d", 0, "/c", "d"},
    {"HTTP://a/b", 0, "/b", ""},
    {"http://[::1]:8080/b", 0, "/b", ""},
    {"http://a?b", 0, "/", "b"},
    {"http://a/http://b", 0, "/http:/b", ""},
    {"/http://b", 0, "/http:/b", ""},
    {"http://a/..", 404, "", ""},
    {"http:///b", 400, "", ""},
    {"http://", 400, "", ""},
    {"http://u@a/b", 400, "", ""},
    {"http://a:b/", 400, "", ""},
    {"http:a", 400, "", ""},
    {"ftp://a/b", 400, "", ""},
    {"://a/b", 400, "", ""},
    {"https://a/b", 421, "", ""},
    {"HTTPS://a", 421, "", ""},
};

TEST_CASE("targets, and the verdict on each") {
  for (const Row& row : kRows) {
    INFO(row.target);
    std::string storage = "what was there before";
    const TargetPath result = judge_target(Method::get, row.target, false, storage);
    CHECK(result.refusal.status == row.status);
    if (row.status != 0 || result.refusal) continue;
    CHECK(result.path == row.path);
    CHECK(result.query == row.query);
    if (result.path != "*") check_invariants(result.path);
  }
}

TEST_CASE("OPTIONS without a path means the whole server") {
  const std::pair<const char*, const char*> targets[] = {
      {"*", "*"},         {"http://a", "*"},   {"HTTP://a:80", "*"}, {"http://a/", "/"},
      {"http://a?", "/"}, {"http://a?b", "/"}, {"/", "/"},
  };
  for (const auto& [target, path] : targets) {
    INFO(target);
    std::string storage;
    const TargetPath result = judge_target(Method::options, target, false, storage);
    CHECK_FALSE(result.refusal);
    CHECK(result.path == path);
  }
  std::string storage;
  CHECK(judge_target(Method::get, "http://a", false, storage).path == "/");
}

TEST_CASE("an absolute target has the scheme of its connection, and names its host") {
  std::string storage;
  CHECK(judge_target(Method::get, "https://a:8443/b?c", true, storage).authority == "a:8443");
  CHECK(judge_target(Method::get, "https://a:8443/b?c", true, storage).path == "/b");
  CHECK(judge_target(Method::get, "http://a/b", true, storage).refusal.status == 421);
  CHECK(judge_target(Method::get, "http://a/b", false, storage).authority == "a");
  CHECK(judge_target(Method::get, "/b", true, storage).authority.empty());
}

TEST_CASE("a target behind its authority is as it was sent") {
  CHECK(without_authority("/a//b%20?c") == "/a//b%20?c");
  CHECK(without_authority("http://a:80/b?c") == "/b?c");
  CHECK(without_authority("http://a?c") == "?c");
  CHECK(without_authority("http://a").empty());
}

TEST_CASE("an encoded path is decoded to the same path") {
  std::string all = "/";
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '/' && byte != '.') all += static_cast<char>(byte);
  }
  std::string encoded;
  append_encoded(encoded, all);
  std::string storage;
  CHECK(judge_target(Method::get, encoded, false, storage).path == all);
}

TEST_CASE("random targets agree with a slow reference") {
  constexpr char kAlphabet[] = "/////....%%%22eEfF00aA\\?5c";
  std::mt19937 random(20240607);
  std::string storage;
  unsigned accepted = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string target = "/";
    for (auto left = random() % 16; left > 0; --left) target += kAlphabet[random() % (sizeof(kAlphabet) - 1)];
    const TargetPath result = judge_target(Method::get, target, false, storage);
    const test::SlowTargetPath reference = test::judge_slowly(target);
    const bool same = reference.agrees_with(result);
    if (!same)
      FAIL(target << " gives " << result.refusal.status << " " << result.path << ", not " << reference.path);
    if (result.refusal) continue;
    ++accepted;
    if (result.path.front() != '/' || result.path.find('\0') != std::string_view::npos ||
        result.path.find("/../") != std::string_view::npos ||
        result.path.find("//") != std::string_view::npos) {
      FAIL(target << " gives " << result.path);
    }
  }
  CHECK(accepted > 50'000);  // the test is useless if hardly any target is accepted
}

}  // namespace
