// Private copies of modules: where they are, how long they live, and which files are not copied.
#include "swap/module_store.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "base/child_process.h"
#include "support/temp_folder.h"

using namespace sluice;
namespace fs = std::filesystem;

namespace {

struct Scratch {
  test::TempFolder folder;  // open to its owner alone
  const fs::path path = folder.path;
  const std::string plugins = folder / "plugins";

  Scratch() {
    fs::create_directory(plugins);
    folder.write("plugins/garbage.so", "garbage");
    folder.write("plugins/notes.txt", "no module");
  }
};

// Names the folder for copies while an object lives.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& folder) { ::setenv("TMPDIR", folder.c_str(), 1); }
  ~TemporaryFolder() { before_ ? ::setenv("TMPDIR", before_->c_str(), 1) : ::unsetenv("TMPDIR"); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  static std::optional<std::string> current() {
    const char* folder = std::getenv("TMPDIR");
    return folder == nullptr ? std::nullopt : std::optional<std::string>(folder);
  }
  std::optional<std::string> before_ = current();
};

// The folder in which a server that starts now makes its folder of copies.
fs::path base_of_copies() {
  const auto store = ModuleStore::create();
  REQUIRE(store);
  return fs::path((*store)->path()).parent_path();
}

}  // namespace

TEST_CASE("copies of modules are private, unique, and removed by their maker", "[module_store]") {
  const Scratch scratch;
  const std::string& plugins = scratch.plugins;
  std::string folder;
  {
    const auto store = std::move(*ModuleStore::create());
    auto first = std::move(*store->copy(plugins, "garbage.so"));
    const auto second = std::move(*store->copy(plugins, "garbage.so"));
    auto again = store->begin_copy(*second, "garbage.so");
    REQUIRE(again);
    CHECK(again->fill());
    const ModuleCopyPtr third = again->copy;
    CHECK(fs::file_size(third->path()) == fs::file_size(plugins + "/garbage.so"));
    CHECK(std::set<std::string>{first->path(), second->path(), third->path()}.size() == 3);
    CHECK(first->generation() == 1);
    CHECK(second->generation() == 2);
    CHECK(third->generation() == 2);
    CHECK(first->stamp() == *stamp_of(plugins + "/garbage.so"));
    CHECK(fs::path(first->path()).filename().string().rfind("garbage", 0) == 0);
    CHECK(fs::exists(first->path()));
    const std::string path = first->path();
    first.reset();
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::exists(second->path()));
    CHECK(fs::exists(third->path()));
    folder = fs::path(path).parent_path();
    CHECK(fs::exists(folder));
    CHECK_FALSE(store->copy(plugins, "nowhere.so"));
  }
  CHECK_FALSE(fs::exists(folder));
}

TEST_CASE("a server removes a folder of copies whose own server is gone, and no other", "[module_store]") {
  const Scratch scratch;
  fs::permissions(scratch.path, fs::perms(0755));  // the workers' user has to reach the folder
  const TemporaryFolder temporary(scratch.path);
  const auto living = std::move(*ModuleStore::create());
  const auto leave = [] { return (*ModuleStore::create()).release()->path(); };
  const std::string left = run_in_child(leave, 5000).value();
  CHECK(fs::path(living->path()).parent_path() == scratch.path);
  CHECK(fs::exists(left));
  CHECK(ModuleStore::create());
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(living->path()));
}

TEST_CASE("copies have the path that the kernel reports, without links and dots", "[module_store]") {
  const Scratch scratch;
  fs::permissions(scratch.path, fs::perms(0755));
  fs::create_directory(scratch.path / "outside");
  fs::create_directory_symlink("outside", scratch.path / "link");
  const fs::path real = scratch.path / "outside";
  for (const char* named : {"outside", "link", "link/", "plugins/../link/."}) {
    CAPTURE(named);
    const TemporaryFolder temporary(scratch.path / named);
    CHECK(base_of_copies() == real);
  }
  for (const char* named : {"nowhere", "plugins/notes.txt"}) {
    CAPTURE(named);
    const TemporaryFolder temporary(scratch.path / named);
    CHECK(base_of_copies() != scratch.path / named);
  }
}

TEST_CASE("the workers' user can reach the copies of root", "[module_store]") {
  if (::geteuid() != 0) return;
  const Scratch scratch;
  fs::create_directory(scratch.path / "outside");
  const TemporaryFolder temporary(scratch.path / "outside");
  CHECK(base_of_copies() != scratch.path / "outside");
  fs::permissions(scratch.path, fs::perms(0711));
  CHECK(base_of_copies() == scratch.path / "outside");
}

TEST_CASE("a process that inherited a copy does not remove it", "[module_store]") {
  const Scratch scratch;
  const auto store = std::move(*ModuleStore::create());
  auto copy = std::move(*store->copy(scratch.plugins, "garbage.so"));
  const std::string path = copy->path();
  REQUIRE(run_in_child(
      [&] {
        copy.reset();
        return std::string("dropped");
      },
      5000));
  CHECK(fs::exists(path));
}

TEST_CASE("a file that another user could have written is not copied", "[module_store]") {
  const Scratch scratch;
  const std::string& plugins = scratch.plugins;
  const auto store = std::move(*ModuleStore::create());
  const auto why = [&] { return store->copy(plugins, "garbage.so").error().message; };
  fs::permissions(plugins + "/garbage.so", fs::perms(0646));
  CHECK(why() == "garbage.so may be written by everybody: remove that permission with chmod o-w");
  fs::permissions(plugins + "/garbage.so", fs::perms(0664));
  CHECK(store->copy(plugins, "garbage.so"));
  if (::geteuid() == 0) {
    REQUIRE(::chown((plugins + "/garbage.so").c_str(), 12345, 0) == 0);
    CHECK(why().find("garbage.so belongs to user 12345, who is neither root nor") == 0);
  }
  fs::resize_file(plugins + "/garbage.so", 64 * 1024 * 1024 + 1);
  CHECK(why().find("is larger than 64 MiB") != std::string::npos);
  fs::create_directory(plugins + "/folder.so");
  CHECK(store->copy(plugins, "folder.so").error().message.find("is not a regular file") != std::string::npos);
}
