// The filter headers: what it makes of answers' heads, and of requests of other origins.
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

using Options = std::map<std::string, std::string>;

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/headers.so"};

  // An answer with the type, after the filter.
  Answer answer(const Options& options, RequestPlan plan, const std::string& type = "text/html") {
    if (!type.empty()) plan.behind.lines.emplace_back("Content-Type", type);
    return rig.run(std::move(plan), rig.mount("", options));
  }
  std::string refusal(const Options& options) {
    try {
      rig.mount("", options);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
};

RequestPlan of_path(const std::string& path) {
  RequestPlan plan;
  plan.path = path;
  plan.behind.content = "content";
  return plan;
}

std::size_t count(const Answer& answer, const std::string& name) {
  std::size_t lines = 0;
  for (const auto& line : answer->lines) lines += line.first == name ? 1 : 0;
  return lines;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "without options nothing changes", "[headers]") {
  const auto answered = answer({}, of_path("a"));
  CHECK(answered->lines.size() == 1);
  CHECK(answered->content == "content");
}

TEST_CASE_METHOD(Fixture, "lines are set, added and removed", "[headers]") {
  RequestPlan plan = of_path("a");
  plan.behind.lines = {{"X-Powered-By", "a"}, {"x-powered-by", "b"}, {"X-Two", "old"}, {"X-Two", "older"}};
  const auto answered = answer(
      {{"set", "X-Two: new\nX-Colons: a: b, c"}, {"add", "Link: </a>; rel=next"}, {"remove", "x-POWERED-by"}},
      plan);
  CHECK(answered->line("X-Two") == "new");
  CHECK(count(answered, "X-Two") == 1);
  CHECK(answered->line("X-Colons") == "a: b, c");
  CHECK(answered->line("Link") == "</a>; rel=next");
  CHECK(count(answered, "X-Powered-By") + count(answered, "x-powered-by") == 0);
}

TEST_CASE_METHOD(Fixture, "lines are for paths, types and status codes", "[headers]") {
  const auto is_set = [&](Options options, const std::string& path, const std::string& type,
                          std::uint32_t code) {
    options["set"] = "X-Set: yes";
    RequestPlan plan = of_path(path);
    plan.behind.code = code;
    return answer(options, plan, type)->line("X-Set") == "yes";
  };
  CHECK(is_set({{"paths", "*.html\ndocs/*"}}, "a/b.html", "", 200));
  CHECK(is_set({{"paths", "*.html\ndocs/*"}}, "docs/a/b", "", 200));
  CHECK_FALSE(is_set({{"paths", "*.html\ndocs/*"}}, "a.htm", "", 200));
  CHECK(is_set({{"paths", "/m/docs/*"}}, "docs/a", "", 200));
  CHECK_FALSE(is_set({{"paths", "/docs/*"}}, "docs/a", "", 200));
  CHECK(is_set({{"types", "text/html"}}, "a", "TEXT/html; charset=utf-8", 200));
  CHECK(is_set({{"types", "image/*"}}, "a", "image/png", 200));
  CHECK_FALSE(is_set({{"types", "image/*"}}, "a", "imagery/png", 200));
  CHECK_FALSE(is_set({{"types", "text/html"}}, "a", "", 200));
  CHECK(is_set({{"types", "*"}}, "a", "", 200));
  CHECK(is_set({{"status", "404\n5xx"}}, "a", "", 404));
  CHECK(is_set({{"status", "404\n5xx"}}, "a", "", 503));
  CHECK_FALSE(is_set({{"status", "404\n5xx"}}, "a", "", 200));
  CHECK_FALSE(is_set({{"status", "404"}, {"types", "text/*"}}, "a", "image/png", 404));
}

TEST_CASE_METHOD(Fixture, "how long answers are kept depends on their type and name", "[headers]") {
  const Options options{{"cache", "text/html: no-cache\nimage/*: max-age=60\n*: max-age=5"}, {"hashed", "1"}};
  const auto kept = [&](const std::string& path, const std::string& type, std::uint32_t code = 200) {
    RequestPlan plan = of_path(path);
    plan.behind.code = code;
    return answer(options, plan, type)->line("Cache-Control");
  };
  const std::string for_ever = "max-age=31536000, immutable";
  CHECK(kept("a.html", "text/html; charset=utf-8") == "no-cache");
  CHECK(kept("a.png", "image/png") == "max-age=60");
  CHECK(kept("a.txt", "text/plain") == "max-age=5");
  CHECK(kept("a.txt", "text/plain", 206) == "max-age=5");
  // What a 304 says replaces what the cache has kept, and it has no type to go by.
  CHECK(kept("a.html", "", 304).empty());
  CHECK(kept("a.html", "multipart/byteranges; boundary=x", 206).empty());
  CHECK(kept("a.txt", "text/plain", 404).empty());
  for (const char* hashed :
       {"app.3f9a2b1c.js", "assets/index-BxYz12Qq.css", "main.5d41402abc4b2a76b9719d911017c592.js"})
    CHECK(kept(hashed, "text/javascript") == for_ever);
  CHECK(kept("app.3f9a2b1c.js", "text/html", 404).empty());
  for (const char* other : {"report-20240101.pdf", "app.javascripts.js", "3f9a2b1c.js", "a.3f9a2b1c/b.js",
                            "app.3f9a.js", ".3f9a2b1c.js", "manual-version2.pdf", "logo-variant10.png",
                            "my_resume2024.pdf", "photo-20240101T120000.jpg", "report-2024q1final.pdf"})
    CHECK(kept(other, "text/javascript") == "max-age=5");
  CHECK(kept("item/x-a1b2c3d4.e9", "text/html") == "no-cache");
  RequestPlan forbidden = of_path("app.3f9a2b1c.js");
  forbidden.behind.lines = {{"Cache-Control", GENERATE("no-store", "private, max-age=5")}};
  CHECK(answer(options, forbidden, "text/javascript")->line("Cache-Control") ==
        forbidden.behind.lines[0].second);
}

TEST_CASE_METHOD(Fixture, "one word confines pages", "[headers]") {
  const auto answered = answer({{"security", "1"}}, of_path("a"));
  CHECK(answered->line("X-Content-Type-Options") == "nosniff");
  CHECK(answered->line("X-Frame-Options") == "SAMEORIGIN");
  CHECK(answered->line("Referrer-Policy") == "strict-origin-when-cross-origin");
  CHECK(answered->line("Cross-Origin-Opener-Policy") == "same-origin-allow-popups");
  CHECK(answered->line("Permissions-Policy") == "camera=(), geolocation=(), microphone=()");
  const auto own = answer({{"security", "1"}, {"set", "X-Frame-Options: DENY"}}, of_path("a"));
  CHECK(own->line("X-Frame-Options") == "DENY");
  CHECK(count(own, "X-Frame-Options") == 1);
  RequestPlan stricter = of_path("a");
  stricter.behind.lines = {{"referrer-policy", "no-referrer"}};
  const auto kept = answer({{"security", "1"}}, stricter);
  CHECK(kept->line("referrer-policy") == "no-referrer");
  CHECK(count(kept, "Referrer-Policy") == 0);
}

TEST_CASE_METHOD(Fixture, "pages of allowed origins may read answers", "[headers]") {
  const Options options{{"cors", "https://a.example\nhttps://b.example:8443"},
                        {"cors_credentials", "1"},
                        {"cors_expose", "ETag\nX-Total"}};
  RequestPlan plan = of_path("a");
  SECTION("an allowed one") {
    plan.fields = {{"Origin", "https://b.example:8443"}};
    const auto answered = answer(options, plan);
    CHECK(answered->line("Access-Control-Allow-Origin") == "https://b.example:8443");
    CHECK(answered->line("Access-Control-Allow-Credentials") == "true");
    CHECK(answered->line("Access-Control-Expose-Headers") == "ETag, X-Total");
    CHECK(answered->line("Vary") == "Origin");
  }
  SECTION("another one, and none: caches are told that it matters") {
    const std::string origin = GENERATE("https://a.example.evil.example", "https://b.example", "null", "");
    if (!origin.empty()) plan.fields = {{"Origin", origin}};
    const auto answered = answer(options, plan);
    CHECK(answered->line("Access-Control-Allow-Origin").empty());
    CHECK(answered->line("Access-Control-Allow-Credentials").empty());
    CHECK(answered->line("Vary") == "Origin");
  }
  SECTION("a handler's own permission does not pass for another one") {
    plan.fields = {{"Origin", "https://c.example"}};
    plan.behind.lines = {{"Access-Control-Allow-Origin", "*"}};
    CHECK(answer(options, plan)->line("Access-Control-Allow-Origin").empty());
  }
  SECTION("below the paths only") {
    Options narrow = options;
    narrow["paths"] = "api/*";
    plan.fields = {{"Origin", "https://a.example"}};
    CHECK(answer(narrow, plan)->line("Access-Control-Allow-Origin").empty());
    plan.path = "api/a";
    CHECK(answer(narrow, plan)->line("Access-Control-Allow-Origin") == "https://a.example");
  }
  SECTION("and a Vary that is set keeps the origin") {
    Options varied = options;
    varied["set"] = "Vary: Accept";
    const auto answered = answer(varied, plan);
    CHECK(count(answered, "Vary") == 2);
  }
  SECTION("any") {
    plan.fields = {{"Origin", "https://c.example"}};
    const auto answered = answer({{"cors", "*"}}, plan);
    CHECK(answered->line("Access-Control-Allow-Origin") == "*");
    CHECK(answered->line("Vary").empty());
  }
}

TEST_CASE_METHOD(Fixture, "preflights are answered in the handler's place", "[headers]") {
  const Options options{{"cors", "https://a.example"}, {"cors_methods", "GET\nPUT"}, {"cors_max_age", "60000"}};
  RequestPlan plan = of_path("a");
  plan.method = Method::options;
  plan.fields = {{"Origin", "https://a.example"},
                 {"Access-Control-Request-Method", "PUT"},
                 {"Access-Control-Request-Headers", "x-token"}};
  SECTION("of an allowed origin") {
    const auto answered = answer(options, plan);
    CHECK_FALSE(answered->passed);
    CHECK(answered->code == 204);
    CHECK(answered->line("Access-Control-Allow-Origin") == "https://a.example");
    CHECK(answered->line("Access-Control-Allow-Methods") == "GET, PUT");
    CHECK(answered->line("Access-Control-Allow-Headers") == "x-token");
    CHECK(answered->line("Access-Control-Max-Age") == "60");
  }
  SECTION("of another origin") {
    plan.fields[0].second = "https://b.example";
    const auto answered = answer(options, plan);
    CHECK(answered->code == 204);
    CHECK(answered->line("Access-Control-Allow-Origin").empty());
    CHECK_THAT(answered->line("Vary"), Contains("Origin"));
  }
  SECTION("other OPTIONS requests go on") {
    plan.fields.erase(plan.fields.begin() + 1);
    CHECK(answer(options, plan)->passed);
  }
  SECTION("and all, where nothing is said of origins") {
    CHECK(answer({}, plan)->passed);
  }
  SECTION("and those for other paths") {
    Options narrow = options;
    narrow["paths"] = "api/*";
    CHECK(answer(narrow, plan)->passed);
  }
}

TEST_CASE_METHOD(Fixture, "options that mean nothing are refused", "[headers]") {
  CHECK_THAT(refusal({{"set", "X-No-Colon"}}), Contains("the option set has 'X-No-Colon': write NAME: VALUE"));
  CHECK_THAT(refusal({{"add", ": value"}}), Contains("write NAME: VALUE"));
  CHECK_THAT(refusal({{"set", "Content-Length: 5"}}), Contains("which a module may not send: remove it"));
  CHECK_THAT(refusal({{"set", "A B: 5"}}), Contains("which a module may not send: remove it"));
  CHECK_THAT(refusal({{"cors", "*\nhttps://a.example"}}), Contains("write '*' alone, or remove it"));
  for (const char* origin : {"a.example", "https://a.example/", "https://a.example/path", "https://*.a.example",
                             "https://A.example", "https://a.example:443", "http://a.example:80", "https://"})
    CHECK_THAT(refusal({{"cors", origin}}), Contains("which no browser sends: write SCHEME://HOST[:PORT]"));
  for (const char* type : {"text", "*/*", "text/", "/html"})
    CHECK_THAT(refusal({{"types", type}}), Contains("write TYPE/SUBTYPE, TYPE/* or *"));
  CHECK_THAT(refusal({{"cache", "html: no-cache"}}), Contains("the option cache has the type 'html'"));
  CHECK_THAT(refusal({{"cache", "text/html no-cache"}}), Contains("write TYPE: VALUE"));
  for (const char* status : {"5XX", "99", "1xx", "600", "4x4"})
    CHECK_THAT(refusal({{"status", status}}), Contains("write a code as in 404, or a class as in 5xx"));
  CHECK_THAT(refusal({{"set", "Server: other"}}), Contains("which a module may not send"));
  CHECK_THAT(refusal({{"cors", "*"}, {"cors_credentials", "1"}}), Contains("name the origins"));
}
