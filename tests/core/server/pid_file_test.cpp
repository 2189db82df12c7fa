// The file that names a server's process.
#include "server/pid_file.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

TEST_CASE("the file has the process' number while it serves", "[pid_file]") {
  const TempFolder folder;
  folder.write("pid", "1");
  {
    PidFile file;
    REQUIRE(file.write(folder / "pid"));
    CHECK(content(folder / "pid") == std::to_string(::getpid()));
    CHECK_FALSE(std::filesystem::exists(folder / "pid~"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "pid"));
}

TEST_CASE("the file of another process stays", "[pid_file]") {
  const TempFolder folder;
  {
    PidFile file;
    REQUIRE(file.write(folder / "pid"));
    folder.write("pid", "1\n");
  }
  CHECK(content(folder / "pid") == "1");
  {
    PidFile file;
    REQUIRE(file.write(folder / "pid"));
    std::filesystem::remove(folder / "pid");
  }
  CHECK_FALSE(std::filesystem::exists(folder / "pid"));
}

TEST_CASE("a file that cannot be written is an error", "[pid_file]") {
  PidFile file;
  const auto written = file.write("/nowhere/at/all");
  REQUIRE_FALSE(written);
  CHECK(written.error().message.starts_with("the file /nowhere/at/all of --pid-file cannot be written: "));
}
