#include "process/access_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
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

void add(AccessFile& file, const std::string& line) {
  if (std::string* lines = file.collect()) *lines += line;
}

}  // namespace

TEST_CASE("lines are appended, and a file that was moved away is left alone", "[access_file]") {
  const ScratchFolder folder;
  folder.write("log", "before\n");
  AccessFile file(folder.path("log"));
  add(file, "one\n");
  CHECK(file.has_lines());
  file.flush();
  CHECK(folder.read("log") == "before\none\n");
  fs::rename(folder.path("log"), folder.path("log.1"));
  add(file, "two\n");
  file.flush();
  CHECK(folder.read("log.1") == "before\none\ntwo\n");
  file.open();
  add(file, "three\n");
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
  add(nowhere, "lost\n");
  nowhere.flush();
  CHECK(said.text().find(
            "none/log cannot be opened: No such file or directory. Its lines are dropped until USR1") !=
        std::string::npos);
  AccessFile full("/dev/full");
  add(full, "one\n");
  add(full, "two\n");
  full.flush();
  CHECK_FALSE(full.has_lines());
  CHECK(said.text().find("/dev/full lost lines (2): No space left on device") != std::string::npos);
}

TEST_CASE("a symbolic link is refused, and the open file goes on", "[access_file]") {
  const ScratchFolder folder;
  const Said said;
  AccessFile file(folder.path("log"));
  fs::rename(folder.path("log"), folder.path("log.1"));
  folder.write("other", "");
  folder.link("log", folder.path("other"));
  file.open();
  CHECK(said.text().find("it is a symbolic link; name the file itself. The former file goes on.") !=
        std::string::npos);
  add(file, "one\n");
  file.flush();
  CHECK(folder.read("log.1") == "one\n");
  CHECK(folder.read("other").empty());
}

TEST_CASE("a line that a full pipe has cut gets an end", "[access_file]") {
  const ScratchFolder folder;
  const Said said;
  REQUIRE(::mkfifo(folder.path("log").c_str(), 0600) == 0);
  const UniqueFd reader(::open(folder.path("log").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  AccessFile file(folder.path("log"));
  const std::string line(3000, 'x');
  for (int i = 0; i < 1000; ++i) add(file, line + "\n");
  file.flush();
  CHECK(said.text().find("lost lines (") != std::string::npos);
  std::string got(4 * 1024 * 1024, '\0');
  std::size_t size = 0;
  const auto read_all = [&] {
    for (ssize_t some = 0; (some = ::read(reader.get(), got.data() + size, got.size() - size)) > 0;)
      size += static_cast<std::size_t>(some);
  };
  add(file, "next\n");
  while (file.has_lines()) {
    read_all();
    file.flush();
  }
  read_all();
  got.resize(size);
  CHECK(got.ends_with("\nnext\n"));
  std::size_t longest = 0;
  for (std::size_t at = 0, end = 0; (end = got.find('\n', at)) != std::string::npos; at = end + 1)
    longest = std::max(longest, end - at);
  CHECK(longest == line.size());
}

TEST_CASE("a disk that fills within a line loses that line, and what comes while it is full", "[access_file]") {
  const ScratchFolder folder;
  const Said said;
  // What this process says goes to a file as well, which stays small.
  constexpr std::size_t kFull = 64 * 1024;
  const std::string old(kFull - 11, 'o');
  folder.write("log", old + "\n");
  AccessFile file(folder.path("log"));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = kFull;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  add(file, "0123456789abc\n");
  file.flush();
  const bool waits = file.has_lines();
  file.flush();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(waits);
  CHECK(said.text().find("lost lines (1): File too large") != std::string::npos);
  CHECK(said.text().find("lost", said.text().find("lost") + 1) == std::string::npos);
  add(file, "next\n");
  file.flush();
  CHECK(folder.read("log") == old + "\n0123456789\nnext\n");
}
