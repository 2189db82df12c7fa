// Children, private copies and plans: what the supervisor prepares, and the sentences when it cannot.
#include "settings/serving_plan.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "base/child_process.h"
#include "swap/module_store.h"

using namespace sluice;
namespace fs = std::filesystem;

namespace {

struct Scratch {
  fs::path path;
  Scratch() {
    char folder[] = "/tmp/sluice-plan-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    path = folder;
    fs::create_directories(path / "root/docs");
    fs::create_directories(path / "outside");
    fs::create_directories(path / "plugins");
    std::ofstream(path / "plugins/garbage.so") << "garbage";
    std::ofstream(path / "plugins/notes.txt") << "no module";
    std::ofstream(path / "root/file") << "no folder";
  }
  ~Scratch() { fs::remove_all(path); }

  Settings settings() const {
    Settings made;
    made.root = path / "root";
    made.plugins = path / "plugins";
    made.user = "root";
    if (::geteuid() != 0) made.user.clear();
    return made;
  }
};

// Where copies are to be, until it goes.
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

// Where a server that starts now has its folder of copies.
fs::path base_of_copies() {
  const auto store = ModuleStore::create();
  REQUIRE(store);
  return fs::path((*store)->path()).parent_path();
}

std::string why(const Settings& settings) {
  const auto plan = make_plan(settings);
  return plan ? std::string() : plan.error().message;
}

MountSpec mount(const std::string& prefix, const std::optional<std::string>& root) {
  return {prefix, "m", root, false, std::nullopt, {}};
}

}  // namespace

TEST_CASE("a child gives back its text, or how it ended instead", "[child]") {
  CHECK(run_in_child([] { return std::string("text"); }, 5000).value() == "text");
  const std::string large(1 << 20, 'x');
  CHECK((run_in_child([&] { return large; }, 5000).value() == large));
  CHECK(run_in_child([] { return std::string(); }, 5000).value().empty());
  const auto crash = [] {
    ::signal(SIGABRT, SIG_DFL);
    ::raise(SIGKILL);
    return std::string();
  };
  CHECK(run_in_child(crash, 5000).error().message == "crashed (SIGKILL)");
  const auto leave = []() -> std::string { ::_exit(7); };
  CHECK(run_in_child(leave, 5000).error().message == "ended with exit code 7");
  const auto hang = [] {
    ::pause();
    return std::string();
  };
  CHECK(run_in_child(hang, 1000).error().message == "did not finish within 1 s");
}

TEST_CASE("copies of modules are private, unique, and gone with who made them", "[module_store]") {
  const Scratch scratch;
  const std::string plugins = scratch.path / "plugins";
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

TEST_CASE("a folder of copies is removed by the next server when its own is gone, and only then",
          "[module_store]") {
  const Scratch scratch;
  fs::permissions(scratch.path, fs::perms(0755));  // the workers' user has to get there
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

TEST_CASE("copies lie where the kernel says that they lie, also behind links and dots", "[module_store]") {
  const Scratch scratch;
  fs::permissions(scratch.path, fs::perms(0755));
  fs::create_directory_symlink("outside", scratch.path / "link");
  const fs::path real = scratch.path / "outside";
  for (const char* named : {"outside", "link", "link/", "plugins/../link/."}) {
    CAPTURE(named);
    const TemporaryFolder temporary(scratch.path / named);
    CHECK(base_of_copies() == real);
  }
  for (const char* named : {"nowhere", "root/file"}) {
    CAPTURE(named);
    const TemporaryFolder temporary(scratch.path / named);
    CHECK(base_of_copies() != scratch.path / named);
  }
}

TEST_CASE("root's copies lie where the workers' user gets to", "[module_store]") {
  if (::geteuid() != 0) return;
  const Scratch scratch;  // open to its owner alone
  const TemporaryFolder temporary(scratch.path / "outside");
  CHECK(base_of_copies() != scratch.path / "outside");
  fs::permissions(scratch.path, fs::perms(0711));
  CHECK(base_of_copies() == scratch.path / "outside");
}

TEST_CASE("a copy is not removed by a process that has only inherited it", "[module_store]") {
  const Scratch scratch;
  const auto store = std::move(*ModuleStore::create());
  auto copy = std::move(*store->copy(scratch.path / "plugins", "garbage.so"));
  const std::string path = copy->path();
  REQUIRE(run_in_child(
      [&] {
        copy.reset();
        return std::string("dropped");
      },
      5000));
  CHECK(fs::exists(path));
}

TEST_CASE("a file that a stranger could have written is not copied", "[module_store]") {
  const Scratch scratch;
  const std::string plugins = scratch.path / "plugins";
  const auto store = std::move(*ModuleStore::create());
  const auto why = [&] { return store->copy(plugins, "garbage.so").error().message; };
  fs::permissions(plugins + "/garbage.so", fs::perms(0646));
  CHECK(why() == "garbage.so may be written by everybody: take that away with chmod o-w");
  fs::permissions(plugins + "/garbage.so", fs::perms(0664));
  CHECK(store->copy(plugins, "garbage.so"));
  if (::geteuid() == 0) {
    REQUIRE(::chown((plugins + "/garbage.so").c_str(), 12345, 0) == 0);
    CHECK(why().find("garbage.so belongs to user 12345, who is neither root nor") == 0);
    CHECK(check_folder(plugins));
    REQUIRE(::chown(plugins.c_str(), 12345, 0) == 0);
    CHECK(check_folder(plugins).error().message.find("the folder of modules " + plugins +
                                                     " belongs to user 12345, who is neither root nor") == 0);
    REQUIRE(::chown(plugins.c_str(), 0, 0) == 0);
  }
  fs::resize_file(plugins + "/garbage.so", 64 * 1024 * 1024 + 1);
  CHECK(why().find("is larger than 64 MiB") != std::string::npos);
  fs::create_directory(plugins + "/folder.so");
  CHECK(store->copy(plugins, "folder.so").error().message.find("is no regular file") != std::string::npos);
  CHECK_FALSE(check_folder(plugins + "/nowhere"));
  CHECK(check_folder(plugins));
  fs::permissions(plugins, fs::perms(0757));
  CHECK(check_folder(plugins));
  CHECK(is_open_to_all(plugins));
}

TEST_CASE("every module of a folder is described, or said to be broken", "[module_store]") {
  const Scratch scratch;
  fs::copy(fs::path(SLUICE_TEST_PLUGINS) / "hello.so", scratch.path / "plugins/hello.so");
  const auto reports = inspect_modules(scratch.path / "plugins");
  REQUIRE(reports);
  REQUIRE(reports->size() == 2);
  CHECK((*reports)[0].file == "garbage.so");
  CHECK((*reports)[0].error.find("no shared object") != std::string::npos);
  CHECK((*reports)[1].error.empty());
  CHECK((*reports)[1].name == "hello");
  CHECK((*reports)[1].default_mount == "/hello/");
  CHECK_FALSE(inspect_modules(scratch.path / "nowhere"));
  fs::permissions(scratch.path / "plugins/hello.so", fs::perms(0646));
  CHECK((*inspect_modules(scratch.path / "plugins"))[1].error.find("may be written by everybody") !=
        std::string::npos);
  if (::geteuid() != 0) return;
  REQUIRE(::chown((scratch.path / "plugins").c_str(), 12345, 0) == 0);
  CHECK_FALSE(inspect_modules(scratch.path / "plugins"));
}

TEST_CASE("a plan opens the root and each mount's folder, or says what is wrong", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  CHECK(why(settings).empty());
  settings.root = scratch.path / "nowhere";
  CHECK(why(settings).find("does not exist: make it, or name another with --root") != std::string::npos);
  settings.root = scratch.path / "root/file";
  CHECK(why(settings).find("is no folder") != std::string::npos);
  settings = scratch.settings();
  settings.user = "nobody-has-this-name";
  CHECK(why(settings).find("nobody-has-this-name") != std::string::npos);
  settings = scratch.settings();
  settings.mounts = {mount("/a/", "nowhere")};
  CHECK(why(settings).find("the folder of the mount /a/,") == 0);
  settings.mounts = {mount("/a/", "../outside")};
  CHECK(why(settings).find("lies outside the document root: write it as an absolute path") !=
        std::string::npos);
}

TEST_CASE("a mount inside the root is confined by the root, one outside by itself", "[serving_plan]") {
  const Scratch scratch;
  Settings settings = scratch.settings();
  const std::string inside = scratch.path / "root/docs";
  const std::string outside = scratch.path / "outside";
  settings.mounts = {mount("/static/", std::nullopt), mount("/a/", "docs"), mount("/b/", inside),
                     mount("/c/", outside), mount("/", ".")};
  const auto plan = std::move(*make_plan(settings));
  const auto& folders = plan->mount_folders;
  REQUIRE(folders.size() == 5);
  CHECK(folders[0].path == "static/");
  CHECK(folders[1].path == "docs/");
  CHECK(folders[2].path == "docs/");
  CHECK(folders[3].path.empty());
  CHECK(folders[4].path.empty());
  CHECK(folders[3].fd != plan->root.get());
  for (const std::size_t i : {0U, 1U, 2U, 4U}) CHECK(folders[i].fd == plan->root.get());
}
