#include "base/small_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;

TEST_CASE("a file is read whole", "[small_file]") {
  const test::TempFolder folder;
  std::ofstream(folder / "a") << std::string(5000, 'x');
  const auto file = SmallFile::open(folder / "a", "the file a", 5000);
  REQUIRE(file);
  CHECK(file->size() == 5000);
  CHECK(*file->read() == std::string(5000, 'x'));
}

TEST_CASE("what cannot be read whole is refused", "[small_file]") {
  const test::TempFolder folder;
  const auto why = [](const std::string& path) {
    const auto file = SmallFile::open(path, "it", 1024);
    return file ? file->read().error().message : file.error().message;
  };
  CHECK(why(folder / "none") == "it cannot be read: No such file or directory");
  CHECK(why(folder.path) == "it is not a regular file: name one");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(why(folder / "pipe") == "it is not a regular file: name one");
  std::ofstream(folder / "large") << std::string(1025, 'x');
  CHECK(why(folder / "large") == "it is larger than 1 KiB: name another one");
}

TEST_CASE("a file that becomes shorter is noticed", "[small_file]") {
  const test::TempFolder folder;
  std::ofstream(folder / "a") << "text";
  const auto file = SmallFile::open(folder / "a", "it", 1024);
  REQUIRE(file);
  std::ofstream(folder / "a", std::ios::trunc).close();
  CHECK(file->read().error().message == "it became shorter while it was read: try again");
}
