#include "install_paths.h"

#include <catch2/catch.hpp>

#include "scratch.h"

namespace sluice::cli {
namespace {

TEST_CASE("the modules that were installed with a program lie where the build says, seen from it") {
  const ScratchFolder scratch;
  const std::string program = scratch.folder("bin") + "/sluice";
  CHECK_FALSE(installed_plugins(program));
  const std::string plugins = scratch.folder(SLUICE_LIBDIR "/sluice/plugins.d");
  CHECK(installed_plugins(program) == plugins);
  CHECK(installed_plugins(program + " (deleted)") == plugins);
  CHECK_FALSE(installed_plugins(""));
}

TEST_CASE("the running program knows where it lies") {
  CHECK(std::filesystem::exists(running_program()));
}

}  // namespace
}  // namespace sluice::cli
