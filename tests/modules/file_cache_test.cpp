// Which files the cache of open files finds, and which it removes.
#include "modules/cache_fixture.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

using namespace sluice::files;
using namespace sluice::files::test;
using Fixture = CacheFixture;

TEST_CASE_METHOD(Fixture, "a file is found as long as it does not change", "[cache]") {
  folder.write("a.txt", "one");
  const FileRef first = open_file("a.txt");
  CHECK(find("a.txt") == first);
  CHECK(find("b.txt") == nullptr);

  SECTION("other content of the same size") {
    folder.write("a.txt", "two");
  }
  SECTION("appended") {
    folder.overwrite("a.txt", "!", 3);
  }
  SECTION("cut") {
    REQUIRE(truncate((folder / "a.txt").c_str(), 1) == 0);
  }
  SECTION("deleted") {
    unlink((folder / "a.txt").c_str());
  }
  SECTION("replaced by rename") {
    folder.write("new", "new");
    rename((folder / "new").c_str(), (folder / "a.txt").c_str());
  }
  SECTION("its times") {
    folder.age("a.txt");
  }
  SECTION("its mode") {
    chmod((folder / "a.txt").c_str(), 0600);
  }
  CHECK(find("a.txt") == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE_METHOD(Fixture, "requests that had arrived before a look share it, for content in memory",
                 "[cache]") {
  folder.write("kept", "one");
  folder.wait_until_older("kept", kYoungSeconds);
  folder.write("other", "one");
  const FileRef kept = open_file("kept");
  const FileRef other = open_file("other");
  REQUIRE(std::string_view(kept->content(100).value()) == "one");
  const std::uint64_t before_ns = monotonic_ns();
  REQUIRE(find("kept") == kept);
  REQUIRE(find("other") == other);
  const std::uint64_t after_ns = monotonic_ns();
  folder.write("kept", "two");
  folder.write("other", "two");
  CHECK(find("kept", kRevalidateMs, before_ns) == kept);
  CHECK(find("other", kRevalidateMs, before_ns) == nullptr);
  CHECK(find("kept", kRevalidateMs, after_ns) == nullptr);
}

TEST_CASE_METHOD(Fixture,
                 "after a while the path is looked at, too, and where it has not moved the entry goes on",
                 "[cache]") {
  folder.write("a.txt", "one");
  REQUIRE(symlink("a.txt", (folder / "link").c_str()) == 0);
  const FileRef first = open_file("link");
  server.advance_clock(kRevalidateMs + 100);
  server.turn();
  if (!look_tells("link")) {
    CHECK(find("link") == nullptr);
    return;
  }
  CHECK(find("link") == first);

  REQUIRE(symlink("b.txt", (folder / "new").c_str()) == 0);
  rename((folder / "new").c_str(), (folder / "link").c_str());
  // It was checked just now.
  CHECK(find("link") == (changes_are_told() ? nullptr : first));
  const bool in_time = GENERATE(false, true);
  SECTION("another file stands there") {
    folder.write("b.txt", "one");
  }
  SECTION("nothing stands there") {}
  if (in_time) {
    server.advance_clock(kRevalidateMs);
    server.turn();
  }
  CHECK(find("link", in_time ? kRevalidateMs : 0, monotonic_ns()) == nullptr);
  CHECK(cache.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a path is checked by the rules of its mount", "[cache]") {
  folder.write("a.txt", "one");
  REQUIRE(symlink("a.txt", (folder / "link").c_str()) == 0);
  const FileRef first = open_file("link");
  if (!look_tells("link")) return;
  CHECK(cache.find(lookup(0), "link", monotonic_ns()) == first);
  CHECK(cache.find(lookup(0, Links::refused), "link", monotonic_ns()) == nullptr);
}

TEST_CASE_METHOD(Fixture, "a path that leads elsewhere gets a new entry", "[cache]") {
  folder.write("a.txt", "one");
  folder.write("b.txt", "two");
  REQUIRE(symlink("a.txt", (folder / "link").c_str()) == 0);
  const FileRef first = open_file("link");
  unlink((folder / "link").c_str());
  REQUIRE(symlink("b.txt", (folder / "link").c_str()) == 0);
  const FileRef second = open_file("link");
  CHECK(second != first);
  if (look_tells("link")) CHECK(find("link") == second);
  CHECK(cache.size() == 1);
}

TEST_CASE_METHOD(Fixture, "the least recently used entry goes first", "[cache]") {
  for (const char* name : {"a", "b", "c", "d"}) {
    folder.write(name, name);
    open_file(name);
  }
  REQUIRE(find("a") != nullptr);
  folder.write("e", "e");
  const FileRef last = open_file("e");
  CHECK(cache.size() == 4);
  CHECK(find("b") == nullptr);
  CHECK(find("a") != nullptr);
  CHECK(find("e") == last);
  cache.shed();
  CHECK(cache.size() == 2);
  CHECK(find("e") == last);
  cache.retire();
  CHECK(cache.size() == 0);
  open_file("a");
  CHECK(cache.size() == 0);
}

TEST_CASE_METHOD(Fixture, "half of the descriptors are left to others", "[cache]") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = 80;
  setrlimit(RLIMIT_NOFILE, &tight);
  cache.allow_entries(1'000'000);
  setrlimit(RLIMIT_NOFILE, &before);
  for (int i = 0; i < 50; ++i) {
    folder.write(std::to_string(i), "x");
    open_file(std::to_string(i));
  }
  CHECK(cache.size() == 40);
}

TEST_CASE_METHOD(Fixture, "entries are removed when descriptors run short", "[cache]") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = 200;
  setrlimit(RLIMIT_NOFILE, &tight);
  cache.allow_entries(1'000'000);
  setrlimit(RLIMIT_NOFILE, &before);
  for (int i = 0; i < 20; ++i) {
    folder.write(std::to_string(i), "x");
    open_file(std::to_string(i));
  }
  CHECK(cache.size() == 20);
  folder.write("late", "x");
  FileFacts facts;
  OwnedFd late(
      fcntl(OwnedFd(open((folder / "late").c_str(), O_RDONLY | O_CLOEXEC)).get(), F_DUPFD_CLOEXEC, 150));
  REQUIRE(read_facts(late.get(), facts) == 0);
  CHECK(cache.insert(lookup(), "late", root.folder, std::move(late), facts, "x/y") != nullptr);
  CHECK(cache.size() == 10);
  CHECK(find("late") == nullptr);
}

namespace {

// A cache with more open files than are removed at once.
struct Full : Fixture {
  static constexpr std::size_t kFiles = 600;
  static constexpr std::size_t kGivenUp = 256;
  rlimit before{};

  Full() {
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit wide = before;
    wide.rlim_cur = std::min<rlim_t>(before.rlim_max, 4096);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &wide) == 0);
    cache.allow_entries(kFiles);
    for (std::size_t i = 0; i < kFiles; ++i) {
      folder.write(std::to_string(i), "x");
      open_file(std::to_string(i));
    }
    REQUIRE(cache.size() == kFiles);
    REQUIRE(open_files() == kFiles);
  }
  ~Full() { setrlimit(RLIMIT_NOFILE, &before); }

  // The number of this process' descriptors that lead into the folder.
  std::size_t open_files() const {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      count += std::filesystem::read_symlink(entry, error).string().starts_with(folder.path + "/") ? 1 : 0;
    }
    return count;
  }
};

}  // namespace

TEST_CASE_METHOD(Full, "threads close the files of a retired cache, part by part", "[cache]") {
  server.pause_offload(true);
  cache.retire();
  CHECK(cache.size() == kFiles - kGivenUp);
  CHECK(open_files() == kFiles);
  CHECK(host.holds > 0);  // its owner stays in memory meanwhile
  SECTION("by threads") {
    server.pause_offload(false);
    REQUIRE(server.run_until([this] { return server.offload_idle(); }));
  }
  SECTION("files in use stay open") {
    const FileRef used = find("599");
    REQUIRE(used != nullptr);
    server.pause_offload(false);
    REQUIRE(server.run_until([this] { return server.offload_idle(); }));
    CHECK(open_files() == 1);
    char byte = 0;
    CHECK(pread(used->fd(), &byte, 1, 0) == 1);
  }
  SECTION("when threads take nothing any more") {
    server.refuse_offloads = 1;
    server.pause_offload(false);
    REQUIRE(server.run_until([this] { return server.offload_idle(); }));
    CHECK(server.refuse_offloads == 0);
  }
  CHECK(cache.size() == 0);
  CHECK(open_files() == 0);
  CHECK(host.holds == 0);
}

TEST_CASE_METHOD(Full, "a retired cache closes its files even without threads", "[cache]") {
  server.refuse_offloads = 3;  // the watches, the remembered hashes, and the first files
  cache.retire();
  CHECK(server.refuse_offloads == 0);
  CHECK(cache.size() == 0);
  CHECK(open_files() == 0);
}

TEST_CASE_METHOD(Full, "files that threads do not close in time wait again", "[cache]") {
  server.expire_offloads = true;
  cache.retire();
  for (int i = 0; i < 10; ++i) server.turn();
  CHECK(cache.size() == kFiles - kGivenUp);
  CHECK(open_files() == kFiles);
  server.expire_offloads = false;
  REQUIRE(server.run_until([this] { return server.offload_idle(); }));
  CHECK(cache.size() == 0);
  CHECK(open_files() == 0);
}

TEST_CASE_METHOD(Full, "only as many entries are removed at once as close quickly", "[cache]") {
  cache.shed();
  CHECK(cache.size() == kFiles - kGivenUp);
  CHECK(open_files() == kFiles - kGivenUp);
  cache.shed();
  CHECK(cache.size() == (kFiles - kGivenUp) / 2);
}

TEST_CASE_METHOD(Fixture, "a file in use stays open when its entry is removed", "[cache]") {
  folder.write("a", "content");
  FileRef file = open_file("a");
  cache.retire();
  unlink((folder / "a").c_str());
  char text[7];
  CHECK(pread(file->fd(), text, 7, 0) == 7);
  const std::uint64_t before = server.works_offered;
  file.reset();
  CHECK(server.works_offered == before + 1);  // a thread closes an unlinked file
}

TEST_CASE_METHOD(Fixture, "scopes keep folders and types apart", "[cache]") {
  TempFolder other;
  const OwnedFd other_fd(open(other.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  CHECK(cache.scope(cache.root(other_fd.get(), ""), "x/y") != scope);
  CHECK(cache.scope(root, "x/z") != scope);
  const OwnedFd again(open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  CHECK(cache.scope(cache.root(again.get(), ""), "x/y") == scope);
  CHECK(&cache.root(again.get(), "/somewhere") != &root);
  CHECK(&cache.root(again.get(), "/somewhere") == &cache.root(other_fd.get(), "/somewhere"));
}
