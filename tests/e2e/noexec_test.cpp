// A server on a read-only root file system, where every writable folder is noexec.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "e2e/containment.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

constexpr int kRefused = 126;
constexpr const char* kMemorySetting = "/proc/sys/vm/memfd_noexec";

// Forbids code from files, for this process alone.
void allow_no_file_as_code() {
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    ::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof(read_only)) == 0 &&
                    ::mount("tmpfs", "/run", "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, "mode=755") == 0;
  if (!done) ::_exit(kRefused);
}

// Also forbids code from memory. Linux has that setting for each PID namespace.
void allow_nothing_as_code() {
  if (::unshare(CLONE_NEWPID) != 0) ::_exit(kRefused);
  const pid_t child = ::fork();
  if (child != 0) {
    int status = 0;
    ::waitpid(child, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : kRefused);
  }
  const int setting = ::open(kMemorySetting, O_WRONLY | O_CLOEXEC);
  if (::write(setting, "2", 1) != 1) ::_exit(kRefused);
  allow_no_file_as_code();
}

bool has_such_places() {
  if (run({"/bin/true"}, {}, "", kWaitMs, allow_no_file_as_code).code == 0) return true;
  WARN("not checked: this user may not mount");
  return false;
}

const Variables kControl{{"RUNTIME_DIRECTORY", "/run"}};
const std::vector<std::string> kMounts{
    "--mount", "/s/=static_sendfile", "--mount", "/d/=dynamic_aio", "--workers", "2", "--swap-quiet", "20ms"};

void put_library(const Site& site, const std::string& version) {
  fs::create_directories(site.plugins() + "/lib");
  fs::copy_file(fs::path(module_file("with_library")).parent_path() / version / "libown.so.1",
                site.plugins() + "/lib/libown.so.1", fs::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("if no file may be mapped as code, modules are loaded through memory, and swapped", "[e2e][copies]") {
  if (!has_such_places()) return;
  const Site site({"static_sendfile", "dynamic_aio"});
  site.write("s/page", "a page\n");
  site.write("d/page", "a page\n");
  put(site, "swapped.so", "swapped_one");
  put_library(site, "own_one");
  put(site, "with_library.so", "with_library");
  std::vector<std::string> check = kMounts;
  check.insert(check.end(), {"--check", "--listen", "127.0.0.1:0"});
  const Outcome checked = run(site.command(check), kControl, "", kWaitMs, allow_no_file_as_code);
  CAPTURE(checked.err);
  CHECK(checked.code == 0);

  ServerProcess server(site, kMounts, kControl, allow_no_file_as_code);
  CHECK(server.logs("their code is loaded through memory"));
  CHECK(all_answer(server, "/s/page", 200, "a page\n"));
  CHECK(all_answer(server, "/d/page", 200, "a page\n"));
  CHECK(all_answer(server, "/swapped/", 200, "one\n"));
  CHECK(all_answer(server, "/with_library/", 200, "library one"));
  put(site, "swapped.so", "swapped_two");
  CHECK(all_answer(server, "/swapped/", 200, "two\n"));
  put_library(site, "own_two");
  put(site, "with_library.so", "with_library");
  CHECK(all_answer(server, "/with_library/", 200, "library two"));
  for (const std::string module : {"static_sendfile", "dynamic_aio"}) {
    put(site, module + ".so", module);
    CHECK(server.logs("module " + module + " serves in generation 2"));
  }
  CHECK(all_answer(server, "/s/page", 200, "a page\n"));
  CHECK(all_answer(server, "/d/page", 200, "a page\n"));
  CHECK(server.reload());
  CHECK(all_answer(server, "/with_library/", 200, "library two"));
  CHECK(server.stop() == 0);
  CHECK(server.count_in_log("stays in memory") == 0);
}

TEST_CASE("if memory may not be mapped either, the error names both remedies", "[e2e][copies]") {
  if (!has_such_places() || !fs::exists(kMemorySetting)) return;
  const Site site({"hello"});
  const Outcome outcome =
      run(site.command({"--listen", "127.0.0.1:0"}), {}, "", kWaitMs, allow_nothing_as_code);
  CAPTURE(outcome.err);
  CHECK(outcome.code == 1);
  CHECK(outcome.err.find("--tmpfs /tmp:exec, or let memory hold code (sysctl vm.memfd_noexec=1)") !=
        std::string::npos);
}

TEST_CASE("sluice check works if no file may be mapped as code", "[e2e][copies]") {
  if (!has_such_places()) return;
  const Outcome good =
      run({sluice_binary(), "check", module_file("hello")}, {}, "", kWaitMs, allow_no_file_as_code);
  CAPTURE(good.out, good.err);
  CHECK(good.code == 0);
  const Outcome bad =
      run({sluice_binary(), "check", module_file("pinned")}, {}, "", kWaitMs, allow_no_file_as_code);
  CHECK(bad.code == 1);
  CHECK(bad.out.find("stays in memory") != std::string::npos);
}

TEST_CASE("code that was loaded through memory is named when it crashes, and when it stays", "[e2e][copies]") {
  if (!has_such_places()) return;
  const Site site({"crasher", "pinned"});
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"}, kControl, allow_no_file_as_code);
  put(site, "pinned.so", "pinned");
  CHECK(server.logs("pinned.so stays in memory after it was unloaded"));
  provoke(server.endpoint(), "/crasher/crash");
  CHECK(server.logs("write_nowhere() at crasher.cpp:"));
  CHECK(server.logs("in crasher.1.so"));
  CHECK(answers(server, "/crasher/", 200));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}
