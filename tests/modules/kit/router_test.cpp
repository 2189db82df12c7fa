// kit/router.h: which route a request takes.
#include <sluice/kit/router.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

struct Routes {
  kit::Router<std::string> router;

  void on(const char* method, const char* pattern) {
    router.on(method, pattern, std::string(method) + " " + pattern);
  }
  kit::Router<std::string>::Found find(std::string_view method, std::string_view path) const {
    Request request;
    request.method_name = method;
    request.path = path;
    return router.find(request);
  }
  // The route's name; else the status and what is allowed.
  std::string ask(std::string_view method, std::string_view path) const {
    const auto found = find(method, path);
    if (found.action != nullptr) return *found.action;
    return std::to_string(found.status) + (found.allow.empty() ? "" : " " + found.allow);
  }
  std::string refusal(const char* method, const char* pattern) {
    try {
      on(method, pattern);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE_METHOD(Routes, "a path takes the route whose segments it has", "[kit]") {
  on("GET", "");
  on("GET", "items");
  on("GET", "items/{id}");
  on("GET", "items/{id}/parts/{part}");
  on("GET", "folder/");
  on("GET", "files/{path...}");
  CHECK(ask("GET", "") == "GET ");
  CHECK(ask("GET", "items") == "GET items");
  CHECK(ask("GET", "items/7") == "GET items/{id}");
  CHECK(ask("GET", "items/7/parts/a b") == "GET items/{id}/parts/{part}");
  CHECK(ask("GET", "folder/") == "GET folder/");
  CHECK(ask("GET", "files/a/b/c") == "GET files/{path...}");
  for (const char* path : {"item", "itemss", "Items", "items/", "items/7/", "items/7/parts", "items/7/parts/",
                           "items/7/parts/1/2", "folder", "folder/x", "files", "files/"}) {
    INFO(path);
    CHECK(ask("GET", path) == "404");
  }
  const auto found = find("GET", "items/7/parts/a b");
  CHECK(found.parameters.at("id") == "7");
  CHECK(found.parameters.at("part") == "a b");
  CHECK_THROWS_AS(found.parameters.at("none"), std::logic_error);
  CHECK(find("GET", "files/a/b/").parameters.at("path") == "a/b/");
}

TEST_CASE_METHOD(Routes, "literal segments win, in whatever order routes were added", "[kit]") {
  on("GET", "{rest...}");
  on("GET", "{a}/{b}");
  on("GET", "items/{id}");
  on("GET", "{a}/new");
  on("GET", "items/new");
  CHECK(ask("GET", "items/new") == "GET items/new");
  CHECK(ask("GET", "items/7") == "GET items/{id}");
  CHECK(ask("GET", "other/new") == "GET {a}/new");
  CHECK(ask("GET", "other/7") == "GET {a}/{b}");
  CHECK(ask("GET", "a/b/c") == "GET {rest...}");
}

TEST_CASE_METHOD(Routes, "methods that a path does not have are refused with those that it has", "[kit]") {
  on("GET", "items/{id}");
  on("DELETE", "items/{key}");
  on("POST", "items/new");
  on("PUT", "only");
  on("OPTIONS", "own");
  CHECK(ask("DELETE", "items/7") == "DELETE items/{key}");
  CHECK(find("DELETE", "items/7").parameters.at("key") == "7");
  CHECK(ask("HEAD", "items/7") == "GET items/{id}");
  CHECK(find("HEAD", "items/7").parameters.at("id") == "7");
  CHECK(ask("PATCH", "items/7") == "405 DELETE, GET, HEAD, OPTIONS");
  CHECK(ask("OPTIONS", "items/7") == "204 DELETE, GET, HEAD, OPTIONS");
  CHECK(ask("GET", "items/new") == "GET items/{id}");
  CHECK(ask("PATCH", "items/new") == "405 DELETE, GET, HEAD, OPTIONS, POST");
  CHECK(ask("HEAD", "only") == "405 OPTIONS, PUT");
  CHECK(ask("get", "items/7") == "405 DELETE, GET, HEAD, OPTIONS");
  CHECK(ask("OPTIONS", "own") == "OPTIONS own");
  CHECK(ask("OPTIONS", "none") == "404");
  on("HEAD", "items/{id}");
  CHECK(ask("HEAD", "items/7") == "HEAD items/{id}");
}

// Extended CONNECT (RFC 8441) asks over HTTP/2 for what GET with Upgrade asks for over HTTP/1.1.
TEST_CASE_METHOD(Routes, "CONNECT takes the route of GET, unless it has its own", "[kit]") {
  on("GET", "chat/{room}");
  on("POST", "only");
  CHECK(ask("CONNECT", "chat/7") == "GET chat/{room}");
  CHECK(find("CONNECT", "chat/7").parameters.at("room") == "7");
  CHECK(ask("CONNECT", "only") == "405 OPTIONS, POST");
  CHECK(ask("CONNECT", "none") == "404");
  on("CONNECT", "chat/{room}");
  CHECK(ask("CONNECT", "chat/7") == "CONNECT chat/{room}");
}

TEST_CASE_METHOD(Routes, "a route that cannot be is refused in a sentence", "[kit]") {
  on("GET", "items/{id}");
  const std::map<std::string, std::string> wrong{
      {"/items", "begins with a slash"},  {"a//b", "has an empty segment"},
      {"a{b}", "only partly in braces"},  {"{a}b", "only partly in braces"},
      {"{a", "only partly in braces"},    {"{}", "without a name"},
      {"{...}", "without a name"},        {"{a b}", "without a name"},
      {"{{a}}", "without a name"},        {"{a}/{a}", "the same name twice"},
      {"{a...}/b", "takes all the rest"}, {"items/{key}", "there are two routes for GET 'items/{id}'"},
  };
  for (const auto& [pattern, why] : wrong) {
    INFO(pattern);
    CHECK_THAT(refusal("GET", pattern.c_str()), Contains(why));
  }
  CHECK_THAT(refusal("GE T", "x"), Contains("no method"));
  CHECK_THAT(refusal("", "x"), Contains("no method"));
  CHECK(ask("GET", "items/7") == "GET items/{id}");
  CHECK(ask("GET", "x") == "404");
}
