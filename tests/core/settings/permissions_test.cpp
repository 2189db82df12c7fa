#include "settings/permissions.h"

#include <sluice/abi.h>

#include <catch2/catch.hpp>

using namespace sluice;
using Catch::Matchers::Contains;

TEST_CASE("a grant names a module and what it may do", "[permissions]") {
  const auto grant = parse_grant("notes=network, write:/var/lib/notes,read:/etc/notes,env:TOKEN,exec");
  REQUIRE(grant);
  CHECK(grant->module == "notes");
  CHECK(grant->permissions.needs == (kNeedsNetwork | kNeedsWriting | kNeedsReading | kNeedsPrograms));
  CHECK(grant->permissions.write == std::vector<std::string>{"/var/lib/notes"});
  CHECK(permissions_text(grant->permissions) == "network,exec,read:/etc/notes,write:/var/lib/notes,env:TOKEN");
}

TEST_CASE("what grants nothing is refused with what can be granted", "[permissions]") {
  for (const char* text : {"", "notes", "=network", "notes=", "notes=all", "notes=network:80",
                           "notes=env:", "notes=env:A=B", "notes=network,,exec"}) {
    CAPTURE(text);
    const auto grant = parse_grant(text);
    REQUIRE_FALSE(grant);
    CHECK_THAT(grant.error().message, Contains("write NAME=WHAT"));
  }
  for (const char* text : {"notes=write", "notes=write:", "notes=read:here"}) {
    CAPTURE(text);
    const auto grant = parse_grant(text);
    REQUIRE_FALSE(grant);
    CHECK_THAT(grant.error().message, Contains("needs an absolute path"));
  }
}

TEST_CASE("grants of a module add up", "[permissions]") {
  const std::vector<Grant> grants{*parse_grant("a=network"), *parse_grant("b=exec"),
                                  *parse_grant("a=write:/x")};
  CHECK(granted_to(grants, "a").needs == (kNeedsNetwork | kNeedsWriting));
  CHECK(granted_to(grants, "c").needs == 0);
  CHECK(needs_text(kNeedsNetwork | kNeedsWriting) == "network,write:PATH");
  CHECK(needs_text(1U << 30U).empty());
}

TEST_CASE("workers are confined automatically, always or never", "[permissions]") {
  CHECK(*parse_confine("auto") == Confine::automatic);
  CHECK(*parse_confine("on") == Confine::on);
  CHECK(*parse_confine("off") == Confine::off);
  CHECK_THAT(parse_confine("yes").error().message, Contains("write auto, on or off"));
}
