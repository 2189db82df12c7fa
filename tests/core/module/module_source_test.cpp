#include "module/module_source.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
namespace fs = std::filesystem;

TEST_CASE("a folder of modules is refused if another user owns it, but not if all may write it",
          "[module_source]") {
  const test::TempFolder folder;
  const std::string& plugins = folder.path;
  CHECK(check_modules_folder(plugins));
  CHECK_FALSE(check_modules_folder(plugins + "/nowhere"));
  CHECK_FALSE(is_open_to_all(plugins));
  fs::permissions(plugins, fs::perms(0757));
  CHECK(check_modules_folder(plugins));
  CHECK(is_open_to_all(plugins));
  if (::geteuid() != 0) return;
  REQUIRE(::chown(plugins.c_str(), 12345, 0) == 0);
  CHECK(check_modules_folder(plugins).error().message.find(
            "the folder of modules " + plugins + " belongs to user 12345, who is neither root nor") == 0);
}
