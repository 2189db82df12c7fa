// The first minutes of an author: sluice is installed; a new handler is built and tested out of tree, served,
// and changed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

#include "author/installed.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

// Keeps a file open, and so the same, when another file takes its name.
class OpenedFile {
 public:
  explicit OpenedFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenedFile() { ::close(fd_); }
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;
  std::string content() const {
    std::string bytes(4 << 20, '\0');
    const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  bool replaced() const {
    struct stat about {};
    return ::fstat(fd_, &about) == 0 && about.st_nlink == 0;
  }

 private:
  int fd_;
};

void replace_in(const ScratchFolder& folder, const std::string& file, const std::string& what,
                const std::string& by) {
  std::string text = folder.read(file);
  text.replace(text.find(what), what.size(), by);
  folder.write(file, text);
}

// An author's own build optimises, which takes half of the time.
const std::string kQuickBuild =
    std::string("CMAKE_BUILD_TYPE=") + (std::getenv("SLUICE_FULL") != nullptr ? "" : "Debug");

}  // namespace

TEST_CASE("an installed sluice finds its modules from wherever it is started", "[author]") {
  const Installed sluice;
  const ScratchFolder elsewhere;
  const std::string listed = must({sluice.program(), "modules"}, {}, elsewhere.path());
  for (const char* name : {"\nhello ", "\nstatic_sendfile ", "\ndynamic_aio "})
    CHECK_THAT(listed, Contains(name));
}

TEST_CASE("a new handler builds, passes its test, is served, and is dropped in again when it changes",
          "[author]") {
  const Installed sluice;
  const ScratchFolder folder;
  const Site site;
  const std::string build = folder.path("demo/build");
  CHECK_THAT(must({sluice.program(), "new", "handler", "demo"}, {}, folder.path()), Contains("cmake -B build"));
  must({"cmake", "-G", "Ninja", "-S", folder.path("demo"), "-B", build, "-D",
        "CMAKE_PREFIX_PATH=" + sluice.prefix(), "-D", "PLUGINS=" + site.plugins(), "-D", kQuickBuild});
  must({"cmake", "--build", build});
  must({"ctest", "--test-dir", build, "--output-on-failure"});

  ServerProcess server(site);
  CHECK(must({"curl", "-sS", server.url("/demo/you")}) == "Hello, you.\n");

  // A terminal signals a whole session at Ctrl-C, so the child has one of its own.
  const OpenedFile before(site.plugins() + "/demo.so");
  const std::string content = before.content();
  Process watch({"setsid", "cmake", "--build", build, "--target", "watch"});
  REQUIRE(eventually([&] { return watch.err().find("watch: built") != std::string::npos; }, kBuildMs));
  CHECK_FALSE(before.replaced());
  replace_in(folder, "demo/demo.cpp", "\"Hello\"", "Hello");
  REQUIRE(
      eventually([&] { return watch.err().find("watch: it does not build") != std::string::npos; }, kBuildMs));
  CHECK_FALSE(before.replaced());
  replace_in(folder, "demo/demo.cpp", "Hello", "\"Welcome\"");
  REQUIRE(eventually([&] { return before.replaced(); }, kBuildMs));
  CHECK(before.content() == content);
  CHECK(eventually([&] { return must({"curl", "-sS", server.url("/demo/you")}) == "Welcome, you.\n"; }));

  ::kill(-watch.pid(), SIGINT);
  CHECK(watch.wait() > 0);
  CHECK(
      eventually([&] { return (watch.out() + watch.err()).find("interrupted by user") != std::string::npos; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("a new filter, API or chat builds without a warning, passes its tests, and is clean", "[author]") {
  const std::string kind = GENERATE("filter", "api", "websocket");
  const Installed sluice;
  const ScratchFolder folder;
  const std::string build = folder.path("demo/build");
  must({sluice.program(), "new", kind, "demo"}, {}, folder.path());
  must({"cmake", "-G", "Ninja", "-S", folder.path("demo"), "-B", build, "-D",
        "CMAKE_PREFIX_PATH=" + sluice.prefix(), "-D", "CMAKE_CXX_FLAGS=-Werror", "-D", kQuickBuild});
  must({"cmake", "--build", build});
  must({"ctest", "--test-dir", build, "--output-on-failure"});
  std::vector<std::string> check{sluice.program(), "check", build + "/plugins.d/demo.so"};
  if (kind == "api") {
    folder.make_folder("data");
    REQUIRE(::chmod(folder.path("data").c_str(), 0777) == 0);  // the check runs as the workers' user
    check.insert(check.end(), {"--option", "database=" + folder.path("data/notes.db"), "--request", "notes"});
  }
  must(check);
}

TEST_CASE("a project that is built in place, and has a watch of its own, is watched all the same", "[author]") {
  const Installed sluice;
  const ScratchFolder folder;
  folder.write("CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.25)\n"
               "project(mine LANGUAGES CXX)\n"
               "find_package(sluice REQUIRED)\n"
               "add_custom_target(watch)\n"
               "sluice_add_module(mine SOURCES mine.cpp PLUGINS plugins.d)\n");
  folder.write("mine.cpp", "#error not yet\n");
  must({"cmake", "-G", "Ninja", "-D", "CMAKE_PREFIX_PATH=" + sluice.prefix(), "-B", folder.path(), "-S",
        folder.path()});
  Process watch({"cmake", "-D", "SOURCE_FOLDER=" + folder.path(), "-D", "BUILD_FOLDER=" + folder.path(), "-P",
                 sluice.library("cmake/sluice/sluice_watch.cmake")});
  const auto says = [&](const char* what) {
    return eventually([&] { return watch.err().find(what) != std::string::npos; }, kBuildMs);
  };
  REQUIRE(says("watch: it does not build"));
  folder.write("mine.cpp", "int mended;\n");
  CHECK(says("watch: built"));
}
