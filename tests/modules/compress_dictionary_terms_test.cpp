// The filter compress with dictionaries (RFC 9842): which content may be one, for whom and for what.
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "modules/dictionary_fixture.h"

using namespace sluice;
using namespace sluice::test;

TEST_CASE_METHOD(DictionaryFixture, "a pattern says for which URLs", "[compress]") {
  const auto pattern = [&](const std::string& target) {
    const auto answered = answer(plan_of(1, target));
    CHECK((answered->line("Vary") == "Accept-Encoding, Available-Dictionary") ==
          !answered->line("Use-As-Dictionary").empty());
    return answered->line("Use-As-Dictionary");
  };
  CHECK(pattern("/m/a.js?b=c/d") == "match=\"/m/a.js\"");
  CHECK(pattern("/m/a%20b/d%C3%BCsseldorf.js") == "match=\"/m/a%20b/d%C3%BCsseldorf.js\"");
  CHECK(pattern("/m/a(b)*+:c.js") == R"(match="/m/a\\(b\\)\\*\\+\\:c.js")");
  CHECK(pattern("/m/a+b.3f2b9c1d.min.js") == R"(match="/m/a\\+b.*.min.js")");
  CHECK(pattern("/m/index-B_x9-aQe.js") == "match=\"/m/index-*.js\"");
  CHECK(pattern("/m/3f2b9c1d.js") == "match=\"/m/3f2b9c1d.js\"");
  CHECK(pattern("/m/" + std::string(509, 'a')) == "match=\"/m/" + std::string(509, 'a') + "\"");
  CHECK(pattern("/m/" + std::string(510, 'a')).empty());
  for (const char* target : {"//m/a.js", "m//a.js", "https://example.org/m/a.js", "/m/a\"b.js", "/m/a\\b.js",
                             "/m/{a}.js", "/m/d\xc3\xbc.js", "/m/a#b.js", "/m/a<b>.js", "*m/"})
    CHECK(pattern(target).empty());
}

TEST_CASE_METHOD(DictionaryFixture, "only in secure contexts", "[compress]") {
  const auto is_secure = [&](const std::string& scheme, const std::string& authority) {
    RequestPlan plan = plan_of(1);
    plan.scheme = scheme;
    plan.authority = authority;
    const auto answered = answer(plan);
    CHECK((answered->line("Vary") == "Accept-Encoding") == answered->line("Use-As-Dictionary").empty());
    RequestPlan next = plan_of(2);
    next.scheme = scheme;
    next.authority = authority;
    const bool is_used = coding_at_last(with(next, script_of(1))) == "dcz";
    CHECK(is_used == !answered->line("Use-As-Dictionary").empty());
    return is_used;
  };
  for (const char* own :
       {"localhost", "LOCALHOST:8080", "a.localhost:1", "127.0.0.1", "127.5.0.1:80", "[::1]:8080"})
    CHECK(is_secure("http", own));
  for (const char* other : {"example.org", "localhost.example.org", "notlocalhost", "127.0.0.1.example.org",
                            "192.0.2.127", "[::2]", "[::1:2]:80", ""}) {
    CHECK_FALSE(is_secure("http", other));
    CHECK(is_secure("https", other));
  }
}

TEST_CASE_METHOD(DictionaryFixture, "what is one visitor's, or cannot be kept by a browser, is no dictionary",
                 "[compress]") {
  RequestPlan first = plan_of(1);
  RequestPlan second = plan_of(2);
  const auto change = [&](const auto& how) {
    how(first);
    how(second);
  };
  const auto cache_control = [&](const std::string& value) {
    change([&](RequestPlan& plan) { plan.behind.lines.back().second = value; });
  };
  SECTION("cookies") {
    change([](RequestPlan& plan) { plan.behind.lines.emplace_back("Set-Cookie", "a=b"); });
  }
  SECTION("a weak tag") {
    change([](RequestPlan& plan) { plan.behind.lines[1].second.insert(0, "W/"); });
  }
  SECTION("it depends on cookies") {
    change([](RequestPlan& plan) { plan.behind.lines.emplace_back("Vary", "Cookie"); });
  }
  SECTION("it has dictionaries of its own") {
    change([](RequestPlan& plan) { plan.behind.lines.emplace_back("Use-As-Dictionary", "match=\"/*\""); });
    CHECK(answer(first)->line("Use-As-Dictionary") == "match=\"/*\"");
    CHECK(answer(first)->line("Vary") == "Accept-Encoding");
    CHECK(coding_of_change(first, second) == "zstd");
    return;
  }
  SECTION("Cache-Control") {
    cache_control(GENERATE("private, max-age=60", "max-age=60, no-cache", "no-store, max-age=60", "max-age=0",
                           "max-age", "max-age=x", "public", "x-max-age=60", "s-maxage=60"));
  }
  SECTION("no Cache-Control") {
    change([](RequestPlan& plan) { plan.behind.lines.pop_back(); });
  }
  SECTION("too large") {
    change([](RequestPlan& plan) { plan.behind.content = script_of(1, (1 << 20) / 8 + 1); });
  }
  const auto answered = answer(first);
  CHECK(answered->line("Use-As-Dictionary").empty());
  CHECK(answered->line("Vary").find("Available-Dictionary") == std::string::npos);
  CHECK(coding_of_change(first, second) == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "a request with a password neither makes nor uses a dictionary",
                 "[compress]") {
  const std::pair<std::string, std::string> password{"Authorization", "Basic eDp5"};
  RequestPlan first = plan_of(1);
  SECTION("the first") {
    first.fields.push_back(password);
    CHECK(answer(first)->line("Use-As-Dictionary").empty());
    CHECK(coding_at_last(with(plan_of(2), script_of(1))) == "zstd");
  }
  SECTION("the second") {
    CHECK(coding_of_change(first, plan_of(2)) == "dcz");
    RequestPlan second = with(plan_of(2), script_of(1));
    second.fields.push_back(password);
    CHECK(coding(second) == "zstd");
  }
}

TEST_CASE_METHOD(DictionaryFixture, "stale-while-revalidate is enough", "[compress]") {
  RequestPlan first = plan_of(1);
  RequestPlan second = plan_of(2);
  for (RequestPlan* plan : {&first, &second})
    plan->behind.lines.back().second = "max-age=0, Stale-While-Revalidate = \"60\"";
  CHECK(coding_of_change(first, second) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "an Available-Dictionary that is malformed is ignored", "[compress]") {
  answer(plan_of(1));
  RequestPlan plan = with(plan_of(2), script_of(1));
  REQUIRE(coding_at_last(plan) == "dcz");
  // Not for a 304 either.
  plan.fields.emplace_back("If-None-Match", answer(plan)->line("ETag"));
  std::string& value = plan.fields[1].second;
  const std::string right = value;
  const std::string digits = right.substr(1, 43);
  SECTION("it is right with blanks, or without the padding") {
    for (const std::string& text : {" " + right + "\t", ":" + digits + ":"}) {
      value = text;
      CHECK(answer(plan)->code == 304);
    }
  }
  SECTION("it is wrong") {
    for (const std::string& wrong : {std::string(),
                                     std::string(":"),
                                     std::string("::"),
                                     std::string(":=:"),
                                     digits,
                                     digits + "=",
                                     ":" + digits + "=",
                                     digits + "=:",
                                     ":" + digits + "==:",
                                     ":" + digits + "A:",
                                     ":" + digits + "A=:",
                                     ":" + digits.substr(1) + "=:",
                                     ":" + digits.substr(1) + "==:",
                                     ":" + digits + "=:;a",
                                     right + ", " + right,
                                     "\"" + digits + "=\"",
                                     ":-" + digits.substr(1) + "=:",
                                     ":_" + digits.substr(1) + "=:",
                                     ": " + digits.substr(1) + "=:",
                                     ":\xff" + digits.substr(1) + "=:",
                                     ":" + digits.substr(0, 20) + "=" + digits.substr(21) + "=:",
                                     ":" + digits.substr(0, 42) + "-=:",
                                     ":" + std::string(100'000, 'A') + ":"}) {
      value = wrong;
      CHECK(coding(plan) == "zstd");
    }
  }
  SECTION("there are two") {
    plan.fields.push_back(plan.fields[1]);
    CHECK(coding(plan) == "zstd");
  }
}

TEST_CASE_METHOD(DictionaryFixture, "a client has to accept dcz, and like nothing better", "[compress]") {
  answer(plan_of(1));
  RequestPlan plan = with(plan_of(2), script_of(1));
  REQUIRE(coding_at_last(plan) == "dcz");
  const auto coding_for = [&](const std::string& accepted) {
    plan.fields[0].second = accepted;
    return coding_at_last(plan);
  };
  for (const char* accepted :
       {"dcz", "DCZ", "zstd, dcz", "dcz;q=0.5, zstd;q=0.5", "identity, dcz", "br;q=0, dcz"})
    CHECK(coding_for(accepted) == "dcz");
  for (const char* accepted :
       {"zstd", "zstd, dcz;q=0", "zstd, dcz;q=0.9", "zstd, *", "zstd, dcb", "zstd, dcz;x=1", "zstd, dcz;q=2",
        "zstd, dcz, dcz;q=0", "zstd, dcz;q=0, dcz", "zstd, dczz"})
    CHECK(coding_for(accepted) == "zstd");
  CHECK(coding_for("dcz;q=0").empty());
  CHECK(coding_for("identity, dcz;q=0.5").empty());
}

TEST_CASE_METHOD(DictionaryFixture, "a page that may not read the answer gets none that depends on another",
                 "[compress]") {
  answer(plan_of(1));
  const RequestPlan plan = with(plan_of(2), script_of(1));
  REQUIRE(coding_at_last(plan) == "dcz");
  const auto coding_for = [&](const std::string& site, const std::string& mode, const std::string& origin = "",
                              const std::string& allowed = "") {
    RequestPlan asked = plan;
    if (!site.empty()) asked.fields.emplace_back("Sec-Fetch-Site", site);
    if (!mode.empty()) asked.fields.emplace_back("Sec-Fetch-Mode", mode);
    if (!origin.empty()) asked.fields.emplace_back("Origin", origin);
    if (!allowed.empty()) asked.behind.lines.emplace_back("Access-Control-Allow-Origin", allowed);
    return coding(asked);
  };
  const std::string origin = "https://example.com";
  CHECK(coding_for("same-origin", "no-cors") == "dcz");
  CHECK(coding_for("cross-site", "") == "dcz");
  CHECK(coding_for("", "no-cors") == "dcz");
  CHECK(coding_for("cross-site", "navigate") == "dcz");
  CHECK(coding_for("same-site", "same-origin") == "dcz");
  CHECK(coding_for("cross-site", "cors", origin, "*") == "dcz");
  CHECK(coding_for("cross-site", "cors", origin, origin) == "dcz");
  CHECK(coding_for("cross-site", "no-cors", origin, "*") == "zstd");
  CHECK(coding_for("same-site", "no-cors") == "zstd");
  CHECK(coding_for("cross-site", "websocket") == "zstd");
  CHECK(coding_for("cross-site", "cors", origin) == "zstd");
  CHECK(coding_for("cross-site", "cors", "", "*") == "zstd");
  CHECK(coding_for("cross-site", "cors", origin, "https://example.net") == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "what says that nothing has changed depends on dictionaries, too",
                 "[compress]") {
  RequestPlan plan = plan_of(1);
  plan.behind.code = GENERATE(206U, 304U);
  CHECK(answer(plan)->line("Vary") == "Accept-Encoding, Available-Dictionary");
  CHECK(answer(plan)->line("Use-As-Dictionary").empty());
  plan.scheme = "http";
  CHECK(answer(plan)->line("Vary") == "Accept-Encoding");
}

TEST_CASE_METHOD(DictionaryFixture, "content that leaves as it is says that it depends on dictionaries",
                 "[compress]") {
  RequestPlan plan = plan_of(1);
  plan.fields.clear();
  const auto answered = answer(plan);
  CHECK(answered->line("Content-Encoding").empty());
  CHECK(answered->line("Use-As-Dictionary").empty());
  CHECK(answered->line("Vary") == "Accept-Encoding, Available-Dictionary");
}
