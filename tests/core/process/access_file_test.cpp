#include "process/access_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "base/log.h"
#include "support/server_process.h"

using namespace sluice;
using sluice::test::ScratchFolder;
namespace fs = std::filesystem;

namespace {

// The log of this process, while it lives.
struct Said {
  ScratchFolder folder;
  UniqueFd fd{::open((folder.path("said")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  Said() { set_log_fd(fd.get()); }
  ~Said() { set_log_fd(STDERR_FILENO); }
  std::string text() const { return folder.read("said"); }
};

}  // namespace

TEST_CASE("lines are appended, and a file that was moved away is left alone", "[access_file]") {
  const ScratchFolder folder;
  folder.write("log", "before\n");
  AccessFile file(folder.path("log"));
  file.add("one\n");
  CHECK(file.has_lines());
  file.flush();
  CHECK(folder.read("log") == "before\none\n");
  fs::rename(folder.path("log"), folder.path("log.1"));
  file.add("two\n");
  file.flush();
  CHECK(folder.read("log.1") == "before\none\ntwo\n");
  file.open();
  file.add("three\n");
  file.flush();
  CHECK(folder.read("log.1") == "before\none\ntwo\n");
  CHECK(folder.read("log") == "three\n");
  struct stat status {};
  REQUIRE(::stat((folder.path("log")).c_str(), &status) == 0);
  CHECK((status.st_mode & 07007) == 0);
}

TEST_CASE("what cannot be opened or written is told with its reason", "[access_file]") {
  const ScratchFolder folder;
  const Said said;
  AccessFile nowhere(folder.path("none/log"));
  nowhere.add("lost\n");
  nowhere.flush();
  CHECK(said.text().find("none/log cannot be opened: No such file or directory") != std::string::npos);
  AccessFile full("/dev/full");
  full.add("one\n");
  full.add("two\n");
  full.flush();
  CHECK_FALSE(full.has_lines());
  CHECK(said.text().find("/dev/full lost 2 lines: No space left on device") != std::string::npos);
}
