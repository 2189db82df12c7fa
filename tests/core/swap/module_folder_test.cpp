#include "swap/module_folder.h"

#include <dirent.h>
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;

namespace {

int entries_until_error = -1;  // how many readdir() still gives; -1 for all

}  // namespace

// Stands in for the C library's, to fail like a disk that has read only the first part of a folder.
extern "C" [[gnu::visibility("default")]] dirent* readdir(DIR* folder) {
  static const auto real = reinterpret_cast<dirent* (*)(DIR*)>(::dlsym(RTLD_NEXT, "readdir"));
  if (entries_until_error == 0) {
    errno = EIO;
    return nullptr;
  }
  if (entries_until_error > 0) --entries_until_error;
  return real(folder);
}

TEST_CASE("a folder that can be read only in part is an error, not a shorter list", "[module_folder]") {
  const test::TempFolder folder;
  for (const char* name : {"a.so", "b.so", "c.so"}) folder.write(name, "");
  const int readable = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(readable);
  entries_until_error = readable;
  const auto listed = list_modules(folder.path);
  const auto found = folder_of({folder.path}, "d.so");
  entries_until_error = -1;
  REQUIRE_FALSE(listed);
  CHECK(listed.error().message.find("Input/output error") != std::string::npos);
  CHECK(found == folder.path);
}

TEST_CASE("a file hides those of its name in folders behind its own", "[module_folder]") {
  const test::TempFolder own;
  const test::TempFolder packaged;
  const std::vector<std::string> folders{own.path, packaged.path};
  for (const char* name : {"a.so", "b.so"}) packaged.write(name, "");
  for (const char* name : {"b.so", "c.so"}) own.write(name, "");
  const std::vector<FoundModule> all{{packaged.path, "a.so"}, {own.path, "b.so"}, {own.path, "c.so"}};
  CHECK(find_modules(folders) == all);
  CHECK(folder_of(folders, "a.so") == packaged.path);
  CHECK(folder_of(folders, "b.so") == own.path);
  CHECK(folder_of(folders, "d.so") == std::nullopt);
  // Nobody knows what a folder has that is not there.
  const std::vector<std::string> with_missing{own / "nowhere", packaged.path};
  CHECK_FALSE(find_modules(with_missing));
  CHECK(folder_of(with_missing, "a.so") == own / "nowhere");
  CHECK(folders_text(folders) == own.path + " or " + packaged.path);
}

TEST_CASE("the modules of a folder are its files that end in .so, sorted", "[module_folder]") {
  const test::TempFolder folder;
  for (const char* name : {"b.so", "a.so", "notes.txt", ".so", ".hidden.so", "c.so.old"})
    folder.write(name, "");
  CHECK(list_modules(folder.path) == std::vector<std::string>{"a.so", "b.so"});
  const auto nowhere = list_modules(folder / "nowhere");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().message == "the folder of modules " + folder / "nowhere" +
                                       " does not exist: make it, or name another one with --plugins");
  folder.write("file", "");
  CHECK(list_modules(folder / "file").error().message ==
        "the folder of modules " + folder / "file" +
            " is not a folder: make it, or name another one with --plugins");
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
  const std::vector<std::string> folders{folder / "modules"};
  CHECK(folder_of(folders, "a.so"));
  CHECK_FALSE(folder_of(folders, "b.so"));
  std::filesystem::rename(folder / "modules", folder / "away");
  CHECK(folder_of(folders, "a.so"));
}
