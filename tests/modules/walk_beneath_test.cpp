#include "common/files/walk_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <thread>

#include "support/refused_calls.h"
#include "support/temp_folder.h"

using namespace sluice::files;
using sluice::test::TempFolder;

namespace {

namespace fs = std::filesystem;

// parent/root is served; parent/outside is not.
struct Tree {
  TempFolder parent;
  std::string root = parent / "root";
  OwnedFd fd;

  Tree() {
    fs::create_directories(root + "/dir/deep");
    fs::create_directories(parent / "outside");
    parent.write("root/a.txt", "a");
    parent.write("root/dir/deep/b.txt", "b");
    parent.write("outside/secret.txt", "secret");
    fd = OwnedFd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, root + "/" + name);
  }
  // The content, or the name of the error.
  std::string read(const std::string& path, Links links = Links::followed) const {
    return content_of(walk_beneath(fd.get(), path.c_str(), links, O_RDONLY));
  }
  // Opens by openat2, and by the walk if openat2 cannot tell.
  std::string open_and_read(const std::string& path, Links links = Links::followed) const {
    return content_of(open_beneath(fd.get(), path.c_str(), Resolve::may_block, links));
  }
  static std::string content_of(const Opened& opened) {
    if (opened.error != 0) return strerrorname_np(opened.error);
    char text[64];
    const ssize_t size = ::read(opened.fd.get(), text, sizeof(text));
    return size < 0 ? strerrorname_np(errno) : std::string(text, static_cast<std::size_t>(size));
  }
};

}  // namespace

TEST_CASE_METHOD(Tree, "a walk finds the file that a path names", "[open]") {
  CHECK(read("a.txt") == "a");
  CHECK(read("dir/deep/b.txt") == "b");
  CHECK(read("dir//deep/./b.txt") == "b");
  CHECK(read("dir/deep/../deep/b.txt") == "b");
  CHECK(read("dir") == "EISDIR");
  CHECK(read("dir/") == "EISDIR");
  CHECK(read(".") == "EISDIR");
  CHECK(read("") == "ENOENT");
  CHECK(read("nothing") == "ENOENT");
  CHECK(read("nothing/a.txt") == "ENOENT");
  CHECK(read("a.txt/") == "ENOTDIR");
  CHECK(read("a.txt/b") == "ENOTDIR");
  CHECK(read("a.txt/.") == "ENOTDIR");
  CHECK(read(std::string(300, 'n')) == "ENAMETOOLONG");
  CHECK(read(std::string(PATH_MAX + 1, '/')) == "EXDEV");
}

TEST_CASE_METHOD(Tree, "no path leads a walk out of the folder", "[open]") {
  for (const char* path :
       {"..", "../root/a.txt", "../outside/secret.txt", "dir/../../root/a.txt", "/a.txt", "/"}) {
    CAPTURE(path);
    CHECK(read(path) == "EXDEV");
    CHECK(open_and_read(path) == "EXDEV");
  }
}

TEST_CASE_METHOD(Tree, "links are followed as long as they lead beneath the folder", "[open]") {
  link("relative", "dir/deep/b.txt");
  link("dir/up", "../a.txt");
  link("folder", "dir/deep/");
  link("absolute", root + "/a.txt");
  link("absolute_folder", root + "/dir");
  link("chain", root + "/dir/up");
  link("round", "../root/a.txt");
  link("dir/itself", root);
  fs::create_directory_symlink(root, parent / "current");
  link("by_another_name", parent / "current/dir/deep/b.txt");
  const std::pair<const char*, const char*> expected[] = {{"relative", "b"},
                                                          {"dir/up", "a"},
                                                          {"folder/b.txt", "b"},
                                                          {"absolute", "a"},
                                                          {"absolute_folder/deep/b.txt", "b"},
                                                          {"chain", "a"},
                                                          {"round", "a"},
                                                          {"dir/itself/a.txt", "a"},
                                                          {"by_another_name", "b"}};
  for (const auto& [path, content] : expected) {
    CAPTURE(path);
    CHECK(read(path) == content);
    CHECK(open_and_read(path) == content);
    CHECK(read(path, Links::refused) == "ELOOP");
    CHECK(open_and_read(path, Links::refused) == "ELOOP");
  }
  CHECK(read("relative/") == "ENOTDIR");
}

TEST_CASE_METHOD(Tree, "links that lead elsewhere do not open", "[open]") {
  link("absolute", parent / "outside/secret.txt");
  link("relative", "../outside/secret.txt");
  link("folder", parent / "outside");
  link("out_and_in_and_out", root + "/../outside/secret.txt");
  link("host", "/etc/passwd");
  link("top", "/");
  for (const char* path : {"absolute", "relative", "folder", "folder/secret.txt", "out_and_in_and_out", "host",
                           "top", "top/etc/passwd"}) {
    CAPTURE(path);
    CHECK(read(path) == "EXDEV");
    CHECK(open_and_read(path) == "EXDEV");
  }
  link("broken", root + "/nothing");
  link("loop", root + "/loop");
  link("one", "two");
  link("two", "one");
  CHECK(read("broken") == "ENOENT");
  CHECK(read("loop") == "ELOOP");
  CHECK(read("one") == "ELOOP");
}

TEST_CASE_METHOD(Tree, "a walk follows forty links and no more", "[open]") {
  link("1", "a.txt");
  for (int i = 2; i <= 41; ++i) link(std::to_string(i), std::to_string(i - 1));
  CHECK(read("40") == "a");
  CHECK(read("41") == "ELOOP");
  CHECK(open_and_read("40") == "a");
  CHECK(open_and_read("41") == "ELOOP");
}

TEST_CASE("a walk follows no link of /proc", "[open]") {
  const OwnedFd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const char* path : {"self/exe", "self/cwd/x", "self/root/etc/passwd", "self/fd/0"}) {
    CAPTURE(path);
    CHECK(walk_beneath(proc.get(), path, Links::followed, O_RDONLY).error == ELOOP);
  }
}

TEST_CASE_METHOD(Tree, "a folder that is moved out does not take the walk with it", "[open]") {
  parent.write("secret", "secret");
  link("dir/deep/up", "../../a.txt");
  parent.write("outside/a.txt", "secret");
  std::atomic<bool> done = false;
  std::thread mover([&] {
    fs::create_directories(parent / "outside/below");
    while (!done) {
      rename((root + "/dir/deep").c_str(), (parent / "outside/below/deep").c_str());
      rename((parent / "outside/below/deep").c_str(), (root + "/dir/deep").c_str());
    }
  });
  for (int i = 0; i < 5'000; ++i) {
    const std::string got = read("dir/deep/up");
    if (got != "a" && got != "ENOENT" && got != "EAGAIN" && got != "EXDEV") FAIL(got);
  }
  done = true;
  mover.join();
}

TEST_CASE_METHOD(Tree, "without openat2 the same files are found", "[open]") {
  link("absolute", root + "/a.txt");
  link("outside", parent / "outside/secret.txt");
  for (const int error : {ENOSYS, EPERM}) {
    CAPTURE(error);
    const pid_t child = fork();
    if (child == 0) {
      if (!sluice::test::refuse_calls({SYS_openat2}, error)) _exit(77);
      bool right = open_and_read("a.txt") == "a" && open_and_read("dir/deep/b.txt") == "b";
      right = right && open_and_read("absolute") == "a" && open_and_read("outside") == "EXDEV";
      right = right && open_and_read("absolute", Links::refused) == "ELOOP" && open_and_read("no") == "ENOENT";
      const Opened at_once = open_beneath(fd.get(), "a.txt", Resolve::cached_only);
      _exit(right && at_once.error == EAGAIN ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
      WARN("no filter of system calls can be set here");
    } else {
      CHECK(status == 0);
    }
  }
}
