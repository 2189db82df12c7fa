#include "swap/module_folder.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;

TEST_CASE("the modules of a folder are its files that end in .so, sorted", "[module_folder]") {
  const test::TempFolder folder;
  for (const char* name : {"b.so", "a.so", "notes.txt", ".so", ".hidden.so", "c.so.old"})
    folder.write(name, "");
  CHECK(list_modules(folder.path) == std::vector<std::string>{"a.so", "b.so"});
  const auto nowhere = list_modules(folder / "nowhere");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().message == "cannot read the folder of modules " + folder / "nowhere" +
                                       ": No such file or directory; name it with --plugins");
}

TEST_CASE("every change of a file changes its stamp", "[module_folder]") {
  const test::TempFolder folder;
  const std::string path = folder / "a.so";
  folder.write("a.so", "one");
  const auto first = stamp_of(path);
  REQUIRE(first);
  CHECK(first == stamp_of(path));
  folder.age("a.so");
  CHECK(first != stamp_of(path));
  folder.write("a.so", "longer");
  CHECK(first->size != stamp_of(path)->size);
  folder.write("other", "longer");
  const auto before = stamp_of(path);
  std::filesystem::rename(folder / "other", path);
  CHECK(before != stamp_of(path));
  CHECK_FALSE(stamp_of(folder / "nowhere"));
}

TEST_CASE("a file is not gone because its folder is", "[module_folder]") {
  const test::TempFolder folder;
  std::filesystem::create_directory(folder / "modules");
  folder.write("modules/a.so", "");
  CHECK_FALSE(is_gone(folder / "modules", "a.so"));
  CHECK(is_gone(folder / "modules", "b.so"));
  std::filesystem::rename(folder / "modules", folder / "away");
  CHECK_FALSE(is_gone(folder / "modules", "a.so"));
}
