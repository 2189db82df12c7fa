#include "module/module_placement.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice;

namespace {

ModuleEntry entry(const std::string& name, const std::string& default_mount) {
  return {name + ".so", "/copies/" + name + ".1.so", 1, name, default_mount, false, false};
}

std::vector<std::string> described(const std::vector<Place>& places) {
  std::vector<std::string> lines;
  for (const Place& place : places) lines.push_back(place.prefix + " " + place.module.name + place.address);
  return lines;
}

struct Fixture {
  ServingPlan plan;
  ModuleSet set{entry("docs", "/docs/"), entry("hello", "/hello/"), entry("quiet", "")};

  Fixture() {
    plan.groups.resize(1);
    plan.sites.resize(1);
    plan.sites.front().is_default = true;
  }
  void mount(const std::string& prefix, const std::string& module) {
    plan.mounts.push_back({0, {prefix, module, {}, false, {}, {}}});
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "a module answers at its default mount, unless a mount names it",
                 "[module_placement]") {
  CHECK(described(places(plan, set)) == Lines{"/docs/ docs", "/hello/ hello"});
  mount("/a/", "hello");
  mount("/b/", "hello");
  mount("/c/", "quiet");
  CHECK(described(places(plan, set)) == Lines{"/a/ hello", "/b/ hello", "/c/ quiet", "/docs/ docs"});
  CHECK(is_mounted_by_name(plan, "quiet"));
  CHECK_FALSE(is_mounted_by_name(plan, "docs"));
}

TEST_CASE_METHOD(Fixture, "a mount takes the place of another module's default mount", "[module_placement]") {
  mount("/docs/", "hello");
  CHECK(described(places(plan, set)) == Lines{"/docs/ hello"});
  CHECK(is_mounted_at(plan, 0, "/docs/"));
}

TEST_CASE_METHOD(Fixture, "an isolated mount takes no place at the other sites", "[module_placement]") {
  mount("/docs/", "hello");
  plan.mounts[0].spec.isolate = true;
  plan.mounts[0].spec.listen = *parse_listen("127.0.0.1:81");
  plan.groups.push_back({{}, 1, 0});
  CHECK(described(places(plan, set)) == Lines{"/docs/ hello127.0.0.1:81", "/docs/ docs"});
  CHECK_FALSE(is_mounted_at(plan, 0, "/docs/"));
  CHECK(answers_at(plan, plan.groups[1], set[1]));
  CHECK_FALSE(answers_at(plan, plan.groups[0], set[1]));
  CHECK_FALSE(answers_at(plan, plan.groups[1], set[0]));
}

TEST_CASE_METHOD(Fixture, "default mounts are of the default site", "[module_placement]") {
  plan.sites.emplace_back().label = "a.example";
  plan.mounts.push_back({1, {"/", "docs", {}, false, {}, {}}});
  CHECK(described(places(plan, set)) == Lines{"/ docs", "/docs/ docs", "/hello/ hello"});
  CHECK(places(plan, set).front().site == "a.example");
  CHECK_FALSE(is_mounted_at(plan, 0, "/"));
  CHECK(site_prefix(plan, 1) == "a.example");
  plan.sites.erase(plan.sites.begin());
  plan.mounts[0].site = 0;
  CHECK(described(places(plan, set)) == Lines{"/ docs"});
}

TEST_CASE_METHOD(Fixture, "--module and --without choose by the names of file and module",
                 "[module_placement]") {
  set[0].name = "manual";
  plan.settings.without = {"docs"};
  CHECK_FALSE(is_chosen(plan.settings, set[0]));
  plan.settings.without = {"manual"};
  CHECK_FALSE(is_chosen(plan.settings, set[0]));
  set[0].name = "";  // not yet known
  CHECK(is_chosen(plan.settings, set[0]));
  plan.settings.only = {"hello"};
  CHECK_FALSE(is_chosen(plan.settings, set[0]));
  CHECK(described(places(plan, set)) == Lines{"/hello/ hello"});
  CHECK(is_asked_for(plan, "hello"));
  CHECK_FALSE(is_asked_for(plan, "docs"));
}

TEST_CASE_METHOD(Fixture, "a module whose file is gone answers only where a mount names it",
                 "[module_placement]") {
  set[1].removed = true;
  CHECK_FALSE(answers_by_default(plan, plan.groups[0], set[1]));
  CHECK(described(places(plan, set)) == Lines{"/docs/ docs"});
  mount("/a/", "hello");
  CHECK(answers_at(plan, plan.groups[0], set[1]));
}
