// kit/service.h, kit/call.h and kit/answers.h: routes, what a Call tells, and its answers.
#include <catch2/catch.hpp>
#include <string>

#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

struct Fixture {
  ModuleRig rig{SLUICE_TEST_MODULES "/kit_service.so"};
  Fixture() { rig.mount(""); }

  Answer ask(Method method, const std::string& path, RequestPlan plan = {}) {
    plan.method = method;
    plan.path = path;
    return rig.run(std::move(plan));
  }
  Answer get(const std::string& path, const std::string& query = "") {
    RequestPlan plan;
    plan.query = query;
    return ask(Method::get, path, std::move(plan));
  }
  Answer put(const std::string& type, std::vector<std::string> pieces) {
    RequestPlan plan;
    plan.fields = {{"Content-Type", type}};
    plan.body = std::move(pieces);
    return ask(Method::put, "items/7", std::move(plan));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a service answers by the method of the route", "[kit]") {
  const Answer home = get("");
  CHECK(home->code == 200);
  CHECK(home->line("Content-Type") == "text/plain");
  CHECK(home->content == "home\n");
  CHECK_FALSE(home->deferred);
  const Answer item = get("items/7");
  CHECK(item->line("Content-Type") == "application/json");
  CHECK(item->content == R"({"id":7})");
  const Answer head = ask(Method::head, "items/7");
  CHECK(head->code == 200);
  CHECK(head->declared == 8);
  CHECK(head->content.empty());
}

TEST_CASE_METHOD(Fixture, "requests without a route are refused, and OPTIONS is answered", "[kit]") {
  const Answer none = get("none");
  CHECK(none->code == 404);
  CHECK(none->line("Content-Type") == "application/problem+json");
  CHECK(none->content == R"({"title":"Not Found","status":404})");
  const Answer wrong = ask(Method::del, "items/7");
  CHECK(wrong->code == 405);
  CHECK(wrong->line("Allow") == "GET, HEAD, OPTIONS, PUT");
  const Answer options = ask(Method::options, "items/7");
  CHECK(options->code == 204);
  CHECK(options->line("Allow") == "GET, HEAD, OPTIONS, PUT");
  CHECK(options->content.empty());
}

TEST_CASE_METHOD(Fixture, "a refusal is answered with its status and its reason", "[kit]") {
  CHECK(get("items/10")->content == R"({"title":"Not Found","status":404,"detail":"There are ten items"})");
  CHECK(get("items/x")->code == 404);
  CHECK(get("refused", "status=429")->content ==
        R"({"title":"Too Many Requests","status":429,"detail":"a \"reason\""})");
  CHECK(get("refused", "status=499")->content == R"({"status":499,"detail":"a \"reason\""})");
  CHECK(get("refused", "status=304")->code == 304);
  const std::size_t pages = rig.mount("", {{"errors", "pages"}});
  CHECK(rig.get("none", pages)->line("Content-Type").empty());
  CHECK(rig.get("none", pages)->code == 404);
  CHECK(rig.get("items/10", pages)->code == 404);
}

TEST_CASE_METHOD(Fixture, "a call tells what the request says", "[kit]") {
  RequestPlan plan;
  plan.query = "q=a+%22b%22&page=3&tag=x&tag=y";
  plan.fields = {{"Cookie", "sid=abc"}, {"X-Y", "yes"}, {"Accept", "*/*"}};
  CHECK(ask(Method::get, "asked", std::move(plan))->content ==
        R"({"q":"a \"b\"","page":3,"sid":"abc","x":"yes","accept":"*/*","tags":["x","y"],"method":"GET"})");
  CHECK(get("asked")->content ==
        R"({"q":"-","page":1,"sid":"-","x":"-","accept":"-","tags":[],"method":"GET"})");
  CHECK(get("asked", "page=101")->code == 400);
  CHECK(get("asked", "page=")->code == 400);
  CHECK(get("asked", "q=%")->code == 400);
}

TEST_CASE_METHOD(Fixture, "a redirect says where, as a URI", "[kit]") {
  const Answer away = get("away", "to=/a%20b/%C3%A4?x=1%2B2%23y%22%25");
  CHECK(away->code == 303);
  CHECK(away->line("Location") == "/a%20b/%C3%A4?x=1+2#y%22%");
  CHECK(away->content.empty());
  CHECK(get("away", "to=/%0d%0aX:y")->line("Location") == "/%0D%0AX:y");
}

TEST_CASE_METHOD(Fixture, "a body is received up to its limit, and judged", "[kit]") {
  const Answer made = put("text/plain; charset=utf-8", {"0123", "456789"});
  CHECK(made->code == 201);
  CHECK(made->line("Location") == "7");
  CHECK(made->content.empty());
  CHECK(put("text/html", {"x"})->code == 415);
  CHECK(put("text/plain", {})->code == 422);
  const Answer large = put("text/plain", {"0123456789", "0"});
  CHECK(large->code == 413);
  CHECK_THAT(large->content, Contains("The content may have 10 bytes"));
}

TEST_CASE_METHOD(Fixture, "a route that cannot be keeps the service from starting", "[kit]") {
  CHECK_NOTHROW(rig.mount("", {{"route", "more/{x...}"}}));
  CHECK_THROWS_WITH(rig.mount("", {{"route", "/x"}}), Contains("begins with a slash"));
  CHECK_THROWS_WITH(rig.mount("", {{"route", "items/{other}"}}), Contains("there are two routes"));
}
