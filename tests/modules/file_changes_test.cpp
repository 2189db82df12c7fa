// Which changes of files, and of the paths to them, the kernel reports. A changed file may never be served.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "common/files/file_cache.h"
#include "common/files/local_disks.h"
#include "common/files/open_beneath.h"
#include "support/fake_host.h"
#include "support/temp_folder.h"

using namespace sluice::files;
using sluice::test::FakeHost;
using sluice::test::FakeServer;
using sluice::test::TempFolder;

namespace {

constexpr std::uint64_t kRevalidateMs = 1000;
constexpr const char* kName = "a/b/file";

// A file in folders of its own, with a second name outside of them.
struct Tree {
  TempFolder folder;
  TempFolder outside;

  Tree() {
    std::filesystem::create_directories(folder / "a/b");
    folder.write(kName, "before");
    REQUIRE(link((folder / kName).c_str(), (outside / "other").c_str()) == 0);
  }
};

// A tree that is old enough to be relied on. Many are made at once, since ageing takes seconds.
std::unique_ptr<Tree> old_tree() {
  static std::vector<std::unique_ptr<Tree>> trees;
  if (trees.empty()) {
    for (int i = 0; i < 32; ++i) trees.push_back(std::make_unique<Tree>());
    trees.back()->folder.wait_until_older(kName, kYoungSeconds);
  }
  std::unique_ptr<Tree> tree = std::move(trees.back());
  trees.pop_back();
  return tree;
}

// A file that was asked for twice.
struct Told {
  FakeServer server;
  FakeHost host{server, {}};
  const std::unique_ptr<Tree> tree = old_tree();
  TempFolder& folder = tree->folder;
  TempFolder& outside = tree->outside;
  OwnedFd folder_fd{open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  FileCache cache{host};
  Root& root = cache.root(folder_fd.get(), "");
  FileCache::Lookup lookup{cache.scope(root, "x/y"), root, Links::followed, kRevalidateMs};
  FileRef first;

  Told() {
    learn_mounts();
    cache.allow_entries(100);
  }
  ~Told() {
    first.reset();
    cache.retire();
    server.run_until([this] { return server.offload_idle(); });
  }

  bool tells() {
    struct statx known {};
    return look_unsynced(folder_fd.get(), known) && cache.ways().feed().tells(known);
  }
  FileRef open_file(const std::string& name) {
    Opened opened = open_beneath(folder_fd.get(), name.c_str(), Resolve::may_block);
    if (opened.error != 0) return nullptr;
    FileFacts facts;
    REQUIRE(read_facts(opened.fd.get(), facts) == 0);
    return cache.insert(lookup, name, root.folder, std::move(opened.fd), facts, "x/y");
  }
  FileRef find(const std::string& name = kName) { return cache.find(lookup, name, monotonic_ns()); }
  // The file is found without a look at it, several times in turn. What other programs do in the folders above,
  // such as a mount, may forbid that for a moment or have the file opened anew, and then the next search that
  // asks watches the way.
  void rely(const std::string& name = kName) {
    first = open_file(name);
    int found = 0;
    for (int tries = 0; tries < 50 && found < 5; ++tries) {
      later(kRevalidateMs);
      found = find(name) == first ? found + 1 : 0;
      if (found == 0) first = open_file(name);
    }
    REQUIRE(found == 5);
  }
  void later(std::uint64_t ms) {
    server.advance_clock(ms);
    server.turn();
  }
};

// A shared mapping of the file's first byte, to write through.
class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    const OwnedFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
    first_ = static_cast<char*>(mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    REQUIRE(first_ != MAP_FAILED);
  }
  ~Mapping() { munmap(first_, 1); }
  // The page is written back first, so that the next write is reported.
  void write(char byte) {
    msync(first_, 1, MS_SYNC);
    *first_ = byte;
  }

 private:
  char* first_;
};

}  // namespace

TEST_CASE_METHOD(Told, "the next request sees a change", "[cache][changes]") {
  const OwnedFd opened_before(open((outside / "other").c_str(), O_WRONLY | O_CLOEXEC));
  if (!tells()) cache.ways().close();  // the same, by asking
  const bool asked = GENERATE(false, true);
  if (asked) cache.ways().close();
  rely();
  const auto by_name = [&] {
    // If files have to be checked, another file moved to the path may go unseen for kRevalidateMs.
    if (asked || !tells()) later(kRevalidateMs);
  };
  SECTION("it is written to") {
    folder.overwrite(kName, "after!", 0);
  }
  SECTION("it is written to by another name") {
    outside.overwrite("other", "after!", 0);
  }
  SECTION("it is written to by a descriptor that was open before") {
    REQUIRE(pwrite(opened_before.get(), "after!", 6, 0) == 6);
  }
  SECTION("it is written to by a descriptor whose name is gone") {
    REQUIRE(unlink((outside / "other").c_str()) == 0);
    (void)find();
    first = open_file(kName);
    REQUIRE(find() == first);
    REQUIRE(pwrite(opened_before.get(), "after!", 6, 0) == 6);
  }
  SECTION("its mode") {
    chmod((folder / kName).c_str(), 0600);
  }
  SECTION("its size") {
    REQUIRE(truncate((folder / kName).c_str(), 2) == 0);
  }
  SECTION("it is removed, and its other name is not") {
    REQUIRE(unlink((folder / kName).c_str()) == 0);
  }
  SECTION("another file is renamed over it") {
    folder.write("new", "after!");
    REQUIRE(rename((folder / "new").c_str(), (folder / kName).c_str()) == 0);
    by_name();
  }
  SECTION("its folder is replaced") {
    std::filesystem::create_directories(folder / "new");
    folder.write("new/file", "after!");
    REQUIRE(rename((folder / "a/b").c_str(), (folder / "a/old").c_str()) == 0);
    REQUIRE(rename((folder / "new").c_str(), (folder / "a/b").c_str()) == 0);
    by_name();
  }
  SECTION("a folder above is moved away") {
    REQUIRE(rename((folder / "a").c_str(), (folder / "c").c_str()) == 0);
    by_name();
  }
  SECTION("something is mounted over its folder") {
    if (mount("none", (folder / "a").c_str(), "tmpfs", 0, nullptr) != 0) {
      WARN("nothing can be mounted here");
      return;
    }
    by_name();
    CHECK(find() == nullptr);
    REQUIRE(umount((folder / "a").c_str()) == 0);
    by_name();
    CHECK(open_file(kName) != nullptr);
    return;
  }
  CHECK(find() == nullptr);
}

TEST_CASE_METHOD(Told, "a link on the way is switched", "[cache][changes]") {
  if (!tells()) return;
  std::filesystem::create_directories(folder / "releases/1");
  std::filesystem::create_directories(folder / "releases/2");
  REQUIRE(rename((folder / kName).c_str(), (folder / "releases/1/file").c_str()) == 0);
  folder.write("releases/2/file", "after!");
  folder.wait_until_older("releases/2/file", kYoungSeconds);
  REQUIRE(symlink("releases/1", (folder / "current").c_str()) == 0);
  rely("current/file");
  SECTION("it leads elsewhere") {
    REQUIRE(symlink("releases/2", (folder / "new").c_str()) == 0);
    REQUIRE(rename((folder / "new").c_str(), (folder / "current").c_str()) == 0);
  }
  SECTION("its target is replaced") {
    REQUIRE(rename((folder / "releases/1").c_str(), (folder / "releases/0").c_str()) == 0);
    REQUIRE(rename((folder / "releases/2").c_str(), (folder / "releases/1").c_str()) == 0);
  }
  SECTION("its target is moved with the folder above") {
    REQUIRE(rename((folder / "releases").c_str(), (folder / "elsewhere").c_str()) == 0);
  }
  CHECK(find("current/file") == nullptr);
}

TEST_CASE_METHOD(Told, "changes of other names in a folder do not matter", "[cache][changes]") {
  if (!tells()) return;
  rely();
  folder.write("a/b/new", "x");
  REQUIRE(unlink((folder / "a/b/new").c_str()) == 0);
  REQUIRE(mkdir((folder / "a/c").c_str(), 0755) == 0);
  REQUIRE(rename((folder / "a/c").c_str(), (folder / "a/d").c_str()) == 0);
  folder.age("a/b");
  CHECK(find() == first);
}

TEST_CASE_METHOD(Told, "after lost events everything is checked again", "[cache][changes]") {
  if (!tells()) return;
  rely();
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int events_max = 0;
  REQUIRE(limit >> events_max);
  if (events_max > 100'000) return;
  REQUIRE(mkdir((folder / "x").c_str(), 0755) == 0);
  // The queue overflows: the last events are lost, and the one for this file is among them.
  for (int i = 0; i <= events_max / 2; ++i) {
    REQUIRE(rename((folder / "x").c_str(), (folder / "a/y").c_str()) == 0);
    REQUIRE(rename((folder / "a/y").c_str(), (folder / "x").c_str()) == 0);
  }
  outside.overwrite("other", "after!", 0);
  CHECK(find() == nullptr);
}

TEST_CASE_METHOD(Told, "a write through a mapping", "[cache][changes]") {
  if (!tells()) return;
  SECTION("is seen at once if the opening was reported") {
    rely();
    Mapping mapping(folder / kName);
    CHECK(find() == first);
    mapping.write('A');
    CHECK(find() == nullptr);
  }
  SECTION("else is seen after a while, and from then on at once") {
    Mapping mapping(folder / kName);
    rely();
    mapping.write('A');
    CHECK(find() == first);  // the file was not checked
    later(kRevalidateMs);
    CHECK(find() == nullptr);
    first = open_file(kName);
    folder.wait_until_older(kName, kYoungSeconds);
    later(kRevalidateMs);
    REQUIRE(find() == first);
    mapping.write('B');
    CHECK(find() == nullptr);
  }
}

TEST_CASE_METHOD(Told, "a removed entry leaves no watch", "[cache][changes]") {
  if (!tells()) return;
  const auto watches = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
      std::ifstream info(entry.path());
      for (std::string line; std::getline(info, line);) count += line.starts_with("inotify wd:") ? 1 : 0;
    }
    return count;
  };
  cache.allow_entries(100);
  for (int i = 0; i < 300; ++i) {
    const std::string in = "d" + std::to_string(i % 7);
    std::filesystem::create_directories(folder / in);
    const std::string name = in + "/" + std::to_string(i);
    folder.write(name, "x");
    open_file(name);
    REQUIRE(find(name) != nullptr);
  }
  CHECK(cache.size() == 100);
  CHECK(watches() <= 100 + 7 + 1);
  cache.retire();
  server.run_until([this] { return server.offload_idle(); });
  CHECK(watches() == 0);
}
