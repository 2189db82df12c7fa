// Changed files of a folder are reported when they have been quiet.
#include "swap/folder_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kQuietMs = 100;

struct Loop {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  int news = 0;

  std::unique_ptr<FolderWatch> open(const std::string& path) {
    return std::move(*FolderWatch::open(*loop, path, kQuietMs, [this] { ++news; }));
  }
};

struct Fixture : Loop {
  TempFolder folder;
  std::unique_ptr<FolderWatch> watch = open(folder.path);

  std::vector<std::string> quiet_at(std::uint64_t now_ms) { return watch->take_quiet(now_ms); }
};
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "a file is reported once, when it has been quiet", "[folder_watch]") {
  CHECK(watch->due_ms() == FolderWatch::kNever);
  folder.write("a.so", "text");
  folder.write("notes.txt", "text");
  folder.write(".hidden.so", "text");
  watch->hear(1'000);
  CHECK(watch->due_ms() == 1'100);
  CHECK(quiet_at(1'099).empty());
  folder.write("a.so", "more");
  watch->hear(1'050);
  CHECK(quiet_at(1'149).empty());
  CHECK(quiet_at(1'150) == Names{"a.so"});
  CHECK(quiet_at(9'000).empty());
}

TEST_CASE_METHOD(Fixture, "the loop hears of a change, and tells of it when it has been quiet",
                 "[folder_watch]") {
  folder.write("a.so", "text");
  folder.write("b.so", "text");
  while (news == 0) loop->turn(10'000);
  CHECK(watch->has_news(monotonic_ms()));
  // The later one is told of as well, although nothing more is heard.
  while (!quiet_at(0).empty() || watch->due_ms() != FolderWatch::kNever) {
    const int before = news;
    if (watch->has_news(monotonic_ms()))
      watch->take_quiet(monotonic_ms());
    else
      while (news == before) loop->turn(10'000);
  }
  CHECK(news > 0);
}

TEST_CASE_METHOD(Fixture, "moving in, moving out, deleting and a change of mode are reported",
                 "[folder_watch]") {
  folder.write("aside", "text");
  fs::rename(folder / "aside", folder / "a.so");
  watch->hear(0);
  CHECK(quiet_at(100) == Names{"a.so"});
  fs::permissions(folder / "a.so", fs::perms(0600));
  watch->hear(200);
  CHECK(quiet_at(300) == Names{"a.so"});
  fs::rename(folder / "a.so", folder / "b.so");
  watch->hear(400);
  CHECK(quiet_at(500) == Names{"a.so", "b.so"});
  fs::remove(folder / "b.so");
  watch->hear(600);
  CHECK(quiet_at(700) == Names{"b.so"});
}

TEST_CASE_METHOD(Fixture, "a file that stays open for writing is reported after a bounded time",
                 "[folder_watch]") {
  const UniqueFd fd(::open((folder / "a.so").c_str(), O_WRONLY | O_CREAT, 0644));
  REQUIRE(::write(fd.get(), "x", 1) == 1);
  watch->hear(0);
  CHECK(quiet_at(150).empty());
  CHECK(quiet_at(20 * kQuietMs) == Names{"a.so"});
}

TEST_CASE_METHOD(Fixture, "a file that never rests is reported nevertheless", "[folder_watch]") {
  std::uint64_t now = 0;
  std::size_t told = 0;
  for (int i = 0; i < 100; ++i, now += kQuietMs / 2) {
    folder.write("a.so", std::to_string(i));
    watch->hear(now);
    told += quiet_at(now).size();
  }
  CHECK(told >= 2);
  CHECK(told <= 3);
}

TEST_CASE_METHOD(Fixture, "the end of the folder is noticed", "[folder_watch]") {
  CHECK_FALSE(watch->gone());
  fs::rename(folder.path, folder.path + ".moved");
  watch->hear(0);
  CHECK(watch->gone());
  fs::rename(folder.path + ".moved", folder.path);
  CHECK_FALSE(FolderWatch::open(*loop, folder / "nothere", kQuietMs, [] {}));
}

TEST_CASE_METHOD(Loop, "a link has changed when its target has", "[folder_watch]") {
  const TempFolder folder;
  fs::create_directories(folder / "..one");
  fs::create_directories(folder / "..two");
  folder.write("..one/a.so", "1");
  folder.write("..two/a.so", "2");
  fs::create_symlink("..one", folder / "..data");
  fs::create_symlink("..data/a.so", folder / "a.so");
  const auto watch = open(folder.path);
  SECTION("by a link on the way, as Kubernetes switches it") {
    fs::create_symlink("..two", folder / "..new");
    fs::rename(folder / "..new", folder / "..data");
    watch->hear(0);
    CHECK(watch->take_quiet(kQuietMs) == Names{"a.so"});
    folder.write("..two/a.so", "3");  // the link's present target
    watch->hear(200);
    CHECK(watch->take_quiet(300) == Names{"a.so"});
    folder.write("..one/a.so", "4");
    watch->hear(400);
    CHECK(watch->take_quiet(500).empty());
  }
  SECTION("by the file at its end") {
    folder.write("..one/a.so", "3");
    watch->hear(0);
    CHECK(watch->take_quiet(kQuietMs) == Names{"a.so"});
  }
  SECTION("by a new file") {
    fs::create_symlink("..two/a.so", folder / "b.so");
    fs::create_hard_link(folder / "..two/a.so", folder / "c.so");
    watch->hear(0);
    CHECK(watch->take_quiet(kQuietMs) == Names{"b.so", "c.so"});
  }
  CHECK_FALSE(watch->moved());
  CHECK_FALSE(watch->gone());
}

TEST_CASE_METHOD(Loop, "a folder that is a link has moved when the link was switched", "[folder_watch]") {
  const TempFolder folder;
  fs::create_directories(folder / "releases/1");
  fs::create_directories(folder / "releases/2");
  fs::create_symlink("releases/1", folder / "current");
  const auto watch = open(folder / "current");
  fs::create_symlink("releases/2", folder / "next");
  fs::rename(folder / "next", folder / "current");
  watch->hear(0);
  CHECK(watch->take_quiet(kQuietMs).empty());
  CHECK(watch->moved());
}
