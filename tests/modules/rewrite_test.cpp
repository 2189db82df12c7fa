// The filter rewrite: where its rules send requests.
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/rewrite.so"};

  Answer ask(const std::map<std::string, std::string>& options, RequestPlan plan) {
    plan.mount = "/";
    return rig.run(std::move(plan), rig.mount("", options));
  }
  Answer by_rules(const std::string& rules, const std::string& path, const std::string& query = "") {
    RequestPlan plan;
    plan.path = path;
    plan.query = query;
    return ask({{"rules", rules}}, std::move(plan));
  }
  std::string refusal(const std::map<std::string, std::string>& options) {
    try {
      rig.mount("", options);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a rule without a status hands the request over", "[rewrite]") {
  CHECK(by_rules("^/old/(.*)$ /new/\\1", "old/a/b")->handed_over_to == "/new/a/b");
  CHECK(by_rules("^/old/(.*)$ /new/$1", "old/a")->handed_over_to == "/new/a");
  CHECK(by_rules("^/(\\d+)/(\\w+)$ /by?id=$1&name=$2", "7/ann")->handed_over_to == "/by?id=7&name=ann");
  CHECK(by_rules("^/old/(.*)$ /new/\\1", "other")->passed);
  CHECK(by_rules("", "other")->passed);
  CHECK(by_rules("^/a$ /first\n^/ /second", "a")->handed_over_to == "/first");
  CHECK(by_rules("^/a$ /first\n\n  ^/   /second  ", "b")->handed_over_to == "/second");
}

TEST_CASE_METHOD(Fixture, "a rule with a status redirects", "[rewrite]") {
  const std::string status = GENERATE("301", "302", "303", "307", "308");
  const auto answered = by_rules("^/old/(.*)$ https://new.example/\\1 " + status, "old/a", "q=1");
  CHECK(std::to_string(answered->code) == status);
  CHECK(answered->line("Location") == "https://new.example/a?q=1");
}

TEST_CASE_METHOD(Fixture, "the query goes along, unless the target ends with a question mark", "[rewrite]") {
  CHECK(by_rules("^/a /b", "a", "q=1&r=2")->handed_over_to == "/b?q=1&r=2");
  CHECK(by_rules("^/a /b?c=3", "a", "q=1")->handed_over_to == "/b?c=3&q=1");
  CHECK(by_rules("^/a /b?", "a", "q=1")->handed_over_to == "/b");
  CHECK(by_rules("^/a /b?c=3?", "a", "q=1")->handed_over_to == "/b?c=3");
  CHECK(by_rules("^/a /b#part 301", "a", "q=1")->line("Location") == "/b?q=1#part");
}

TEST_CASE_METHOD(Fixture, "what a group has matched is encoded, and cannot leave the path", "[rewrite]") {
  CHECK(by_rules("^/a/(.*)$ /b/\\1", "a/x?y#z %")->handed_over_to == "/b/x%3Fy%23z%20%25");
  CHECK(by_rules("^/a(.*)$ /\\1 302", "a/evil.example")->line("Location") == "/evil.example");
  CHECK(by_rules("^/a(.*)$ /\\1 302", "a/\\evil.example")->line("Location") == "/%5Cevil.example");
  CHECK(by_rules("^/a/(.*)$ /b/\\1 302", "a/x\r\ny: z")->line("Location") == "/b/x%0D%0Ay:%20z");
  CHECK(by_rules("^/old/(.*)$ /new/\\1", "old/a\xff\nb")->handed_over_to == "/new/a%FF%0Ab");
  CHECK(by_rules("^/user/(.*)$ /users?id=$1", "user/7&role=admin+x")->handed_over_to ==
        "/users?id=7%26role%3Dadmin%2Bx");
  CHECK(by_rules("^/x(.*)$ /b/$1", "x../private/f")->passed);
}

TEST_CASE_METHOD(Fixture, "all other schemes and names are sent to one", "[rewrite]") {
  const auto sent_to = [&](const std::string& scheme, const std::string& authority,
                           const std::string& target = "/a/b%20c?q=1") {
    RequestPlan plan;
    plan.path = "a/b c";
    plan.target = target;
    plan.scheme = scheme;
    plan.authority = authority;
    const auto answered = ask({{"canonical", "https://example.org"}}, std::move(plan));
    CHECK((answered->passed || answered->code == 308));
    return answered->line("Location");
  };
  CHECK(sent_to("https", "example.org").empty());
  CHECK(sent_to("https", "EXAMPLE.org").empty());
  CHECK(sent_to("https", "example.org:443").empty());
  CHECK(sent_to("https", "").empty());
  for (const char* authority : {"www.example.org", "example.org:8443", "example.org.", "[::1]:443"})
    CHECK(sent_to("https", authority) == "https://example.org/a/b%20c?q=1");
  CHECK(sent_to("http", "example.org") == "https://example.org/a/b%20c?q=1");
  CHECK(sent_to("http", "example.org:80") == "https://example.org/a/b%20c?q=1");
  CHECK(sent_to("http", "h", "http://h/x?y") == "https://example.org/x?y");
  CHECK(sent_to("http", "h", "http://h?x") == "https://example.org/?x");
  CHECK(sent_to("http", "h", "http://h") == "https://example.org/");
  RequestPlan challenge;
  challenge.path = ".well-known/acme-challenge/token";
  CHECK(ask({{"canonical", "https://example.org"}}, std::move(challenge))->passed);
}

TEST_CASE_METHOD(Fixture, "a filter's prefix without its slash is matched as such", "[rewrite]") {
  RequestPlan plan;
  plan.mount = "/docs/";
  plan.target = GENERATE("/docs", "/docs/", "/docs?x=/");
  const auto answered = rig.run(plan, rig.mount("", {{"rules", "^/(.+)/$ /$1 301"}}));
  CHECK(answered->passed == (plan.target != "/docs/"));
}

TEST_CASE_METHOD(Fixture, "rules that mean nothing are refused", "[rewrite]") {
  const auto of_rule = [&](const std::string& rule) { return refusal({{"rules", rule}}); };
  CHECK_THAT(of_rule("^/a"), Contains("the rule '^/a' is no 'PATTERN TARGET [STATUS]'"));
  CHECK_THAT(of_rule("^/a /b 301 more"), Contains("is no 'PATTERN TARGET [STATUS]'"));
  CHECK_THAT(of_rule("^/(a /b"), Contains("that RE2 does not understand: missing )"));
  CHECK_THAT(of_rule("^/(?=a) /b"), Contains("that RE2 does not understand"));
  CHECK_THAT(of_rule("^/(((a{30}){30}){30}){30} /b"), Contains("that RE2 does not understand"));
  CHECK_THAT(of_rule("^/(a) /b/\\2"), Contains("names a group that its pattern does not have"));
  CHECK_THAT(of_rule("^/a /b 200"), Contains("write 301, 302, 303, 307 or 308"));
  CHECK_THAT(of_rule("^/a https://b.example/"), Contains("leads to another server: add a status"));
  CHECK_THAT(of_rule("^/a b"), Contains("begins neither with '/' nor with a scheme"));
  CHECK_THAT(of_rule("^/a /\xc3\xa4"), Contains("encode them as %XX"));
  CHECK_THAT(of_rule("^/a /100%"), Contains("write %25 for the sign itself"));
  CHECK_THAT(of_rule("^/a /b#part"), Contains("which only a redirect can have"));
  for (const char* target : {"https://new.example\\1", "https://$1.example.org/", "https://a$1/b"})
    CHECK_THAT(of_rule(std::string("^/old(.*)$ ") + target + " 301"),
               Contains("has a group in the name of a server"));
  CHECK(of_rule("^/go /to?url=https://b.example/").empty());
  CHECK(of_rule("^/a(.*)$ https://b.example/$1 301").empty());
  for (const char* canonical : {"example.org", "https://example.org/", "https://", "https://a?x", "https://u@h",
                                "https://\xc3\xa4.example"})
    CHECK_THAT(refusal({{"canonical", canonical}}), Contains("write http://NAME or https://NAME in ASCII"));
}
