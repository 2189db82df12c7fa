#include "install_paths.h"

#include <catch2/catch.hpp>

#include "cli/scratch.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

TEST_CASE("installed modules are found relative to the program") {
  const ScratchFolder scratch;
  const std::string program = scratch.folder("bin") + "/sluice";
  CHECK(installed_plugins(program).empty());
  const std::string plugins = scratch.folder(SLUICE_LIBDIR "/sluice/plugins.d");
  CHECK(installed_plugins(program) == std::vector{plugins});
  CHECK(installed_plugins(program + " (deleted)") == std::vector{plugins});
  CHECK(installed_plugins("").empty());
  const std::string own = scratch.folder("etc/sluice/plugins.d");
  CHECK(installed_plugins(program) == std::vector{own, plugins});
}

TEST_CASE("the running program knows its own path") {
  CHECK(std::filesystem::exists(running_program()));
}

}  // namespace
