#include <catch2/catch.hpp>

#include "support/module_rig.h"

using sluice::test::ModuleRig;

TEST_CASE("hello greets", "[hello]") {
  ModuleRig rig(SLUICE_TEST_PLUGINS "/hello.so");
  CHECK(std::string(rig.info().name) == "hello");
  CHECK(std::string(rig.info().default_mount) == "/hello/");
  rig.mount("");
  const auto answer = rig.get("");
  CHECK(answer->code == 200);
  CHECK(answer->line("Content-Type") == "text/plain; charset=utf-8");
  CHECK(answer->content == "Hello from a module of sluice.\n");
}
