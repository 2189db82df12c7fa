#include "swap/module_report.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
namespace fs = std::filesystem;

TEST_CASE("every module of a folder is described, or reported as broken", "[module_report]") {
  const test::TempFolder folder;
  const std::string plugins = folder / "plugins";
  fs::create_directory(plugins);
  folder.write("plugins/garbage.so", "garbage");
  folder.write("plugins/notes.txt", "no module");
  fs::copy(fs::path(SLUICE_TEST_PLUGINS) / "hello.so", plugins + "/hello.so");
  const auto reports = inspect_modules({plugins});
  REQUIRE(reports);
  REQUIRE(reports->size() == 2);
  CHECK((*reports)[0].file == "garbage.so");
  CHECK((*reports)[0].error.find("not a shared object") != std::string::npos);
  CHECK((*reports)[1].error.empty());
  CHECK((*reports)[1].name == "hello");
  CHECK((*reports)[1].default_mount == "/hello/");
  CHECK((*reports)[1].folder == plugins);
  CHECK_FALSE(inspect_modules({plugins, folder / "nowhere"}));
  fs::permissions(plugins + "/hello.so", fs::perms(0646));
  CHECK((*inspect_modules({plugins}))[1].error.find("may be written by everybody") != std::string::npos);
  if (::geteuid() != 0) return;
  REQUIRE(::chown(plugins.c_str(), 12345, 0) == 0);
  CHECK_FALSE(inspect_modules({plugins}));
}
