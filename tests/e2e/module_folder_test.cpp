// Modules with libraries of their own, behind links that are switched, and in folders that everybody may
// write; and what they leave behind.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>

#include "e2e/containment.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kQuick{"--swap-quiet", "20ms", "--workers", "2"};

void put_library(const Site& site, const std::string& version) {
  fs::create_directories(site.plugins() + "/lib");
  fs::copy_file(fs::path(module_file("with_library")).parent_path() / version / "libown.so.1",
                site.plugins() + "/lib/libown.so.1", fs::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("a module finds the library beside it, and a new generation the new one", "[e2e][libraries]") {
  const Site site;
  put_library(site, "own_one");
  put(site, "with_library.so", "with_library");
  ServerProcess server(site, kQuick);
  CHECK(fetch(server.endpoint(), "/with_library/").body == "library one");
  put_library(site, "own_two");
  CHECK(fetch(server.endpoint(), "/with_library/").body == "library one");
  put(site, "with_library.so", "with_library");
  CHECK(all_answer(server, "/with_library/", 200, "library two"));
  CHECK(server.reload());
  CHECK(all_answer(server, "/with_library/", 200, "library two"));
  CHECK(server.stop() == 0);
}

TEST_CASE("removed copies of a module's libraries are made again", "[e2e][libraries]") {
  const Site site;
  const std::string folder = site.path("copies");
  fs::create_directory(folder);
  put_library(site, "own_one");
  put(site, "with_library.so", "with_library");
  ServerProcess server(site, {"--swap-quiet", "20ms", "--workers", "1"}, {{"TMPDIR", folder}});
  put_library(site, "own_two");
  for (const fs::path& entry : fs::directory_iterator(folder)) fs::remove_all(entry);
  const std::vector<pid_t> before = server.workers();
  ::kill(before.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != before; }));
  CHECK(all_answer(server, "/with_library/", 200, "library one"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a library that another user could have written is refused", "[e2e][libraries]") {
  const Site site({"hello"});
  put_library(site, "own_one");
  put(site, "with_library.so", "with_library");
  REQUIRE(::chmod((site.plugins() + "/lib/libown.so.1").c_str(), 0666) == 0);
  ServerProcess server(site, kQuick);
  CHECK(server.logs("of with_library.so may be written by everybody"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}

TEST_CASE("a module behind a link that is switched is swapped, as Kubernetes does it", "[e2e][links]") {
  const Site site;
  fs::create_directories(site.plugins() + "/..one");
  fs::create_directories(site.plugins() + "/..two");
  put(site, "..one/swapped.so", "swapped_one");
  put(site, "..two/swapped.so", "swapped_two");
  fs::create_symlink("..one", site.plugins() + "/..data");
  fs::create_symlink("..data/swapped.so", site.plugins() + "/swapped.so");
  ServerProcess server(site, kQuick);
  CHECK(fetch(server.endpoint(), "/swapped/").body == "one\n");
  fs::create_symlink("..two", site.plugins() + "/..next");
  fs::rename(site.plugins() + "/..next", site.plugins() + "/..data");
  CHECK(all_answer(server, "/swapped/", 200, "two\n"));
}

TEST_CASE("a link to the folder of modules is followed when it is switched", "[e2e][links]") {
  const Site one({"swapped_one", "hello"});
  const Site two;
  put(two, "swapped_one.so", "swapped_two");
  fs::rename(one.plugins(), one.path("first"));
  fs::create_symlink("first", one.plugins());
  ServerProcess server(one, kQuick);
  CHECK(fetch(server.endpoint(), "/swapped/").body == "one\n");
  fs::create_symlink(two.plugins(), one.path("next"));
  fs::rename(one.path("next"), one.plugins());
  CHECK(all_answer(server, "/swapped/", 200, "two\n"));
  CHECK(all_answer(server, "/hello/", 404));
  put(two, "swapped_one.so", "swapped_one");
  CHECK(all_answer(server, "/swapped/", 200, "one\n"));
}

TEST_CASE("a module in the first folder hides the one of its name, and gives way when it goes",
          "[e2e][folder]") {
  const Site site({"hello"});
  const std::string packaged = site.path("packaged");
  fs::create_directory(packaged);
  const auto put_packaged = [&](const std::string& module) {
    fs::copy_file(module_file(module), packaged + "/new", fs::copy_options::overwrite_existing);
    fs::rename(packaged + "/new", packaged + "/swapped.so");
  };
  put_packaged("swapped_one");
  std::vector<std::string> both = kQuick;
  both.insert(both.end(), {"--plugins", packaged});
  ServerProcess server(site, both);
  CHECK(all_answer(server, "/swapped/", 200, "one\n"));
  put(site, "swapped.so", "swapped_two");
  CHECK(all_answer(server, "/swapped/", 200, "two\n"));
  CHECK(server.logs("generation 2 (" + site.plugins() + "/swapped.so)"));
  const auto asked = [&](const std::vector<std::string>& words) {
    std::vector<std::string> command{sluice_binary()};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, {{"RUNTIME_DIRECTORY", site.path("run")}}).out;
  };
  CHECK(asked({"explain", "/swapped/"}).find("generation 2, from " + site.plugins() + "\n") !=
        std::string::npos);
  CHECK(asked({"status"}).find("serving  " + site.plugins() + "\n") != std::string::npos);
  // A hidden file may change: it does not serve.
  put_packaged("swapped_one");
  CHECK(server.reload());
  CHECK(all_answer(server, "/swapped/", 200, "two\n"));
  fs::remove(site.plugins() + "/swapped.so");
  CHECK(all_answer(server, "/swapped/", 200, "one\n"));
  CHECK(server.logs("generation 3 (" + packaged + "/swapped.so)"));
  CHECK(asked({"status"}).find("serving  " + packaged + "\n") != std::string::npos);
  const std::string checked = asked({"serve", "--plugins", site.plugins(), "--plugins", packaged, "--root",
                                     site.root(), "--listen", "127.0.0.1:0", "--check"});
  CHECK(checked.find("/swapped/  by swapped from " + packaged + "\n") != std::string::npos);
  fs::remove(packaged + "/swapped.so");
  CHECK(all_answer(server, "/swapped/", 404));
  CHECK(server.stop() == 0);
}

TEST_CASE("from a folder that everybody may write, only trusted users' modules are loaded", "[e2e][folder]") {
  const Site site({"hello", "swapped_one"});
  REQUIRE(::chmod(site.plugins().c_str(), 0777) == 0);
  const bool may_give_away = ::chown((site.plugins() + "/swapped_one.so").c_str(), 12345, 12345) == 0;
  ServerProcess server(site, kQuick);
  CHECK(server.logs("may be written by everybody: files of other users in it are refused"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  if (may_give_away) CHECK(fetch(server.endpoint(), "/swapped/").status == 404);
  fs::create_hard_link(site.plugins() + "/hello.so", site.plugins() + "/other.so");
  CHECK(server.logs("other.so has several names in a folder that everybody may write"));
}

TEST_CASE("code that an unloaded module left registered is not called", "[e2e][leftovers]") {
  const Site site({"leaves_code", "hello"});
  ServerProcess server(site, {"--swap-quiet", "20ms", "--workers", "1"});
  const std::vector<pid_t> before = server.workers();
  for (int i = 0; i < 8; ++i) CHECK(fetch(server.endpoint(), "/leaves_code/").status == 200);
  fs::remove(site.plugins() + "/leaves_code.so");
  CHECK(all_answer(server, "/leaves_code/", 404));
  // A thread unloads it, some time after the last request.
  CHECK(eventually([&] {
    const std::string maps = run({"/bin/cat", "/proc/" + std::to_string(before.at(0)) + "/maps"}).out;
    return maps.find("/leaves_code.") == std::string::npos;
  }));
  ::kill(before.at(0), SIGWINCH);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.reload());
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != before; }));
  CHECK(server.count_in_log("was killed by") == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("workers that have no thread-local storage left for a module are replaced", "[e2e][leftovers]") {
  const Site site;
  put(site, "initial_exec.so", "bad/initial_exec");
  ServerProcess server(site, kQuick);
  for (std::size_t swaps = 1; swaps <= 4; ++swaps) {
    put(site, "initial_exec.so", "bad/initial_exec");
    // A module that had to wait for new workers is tried again, as a generation of its own.
    CHECK(
        eventually([&] { return server.count_in_log("module initial_exec serves in generation ") == swaps; }));
  }
  CHECK(server.logs("have no room left for its thread-local storage, and are replaced"));
  CHECK(server.count_in_log("is not taken") == 0);
  CHECK(all_answer(server, "/initial_exec/", 200));
  CHECK(server.stop() == 0);
}
