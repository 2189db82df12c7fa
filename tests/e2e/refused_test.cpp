// Calls that the filters of containers and service managers refuse, and folders that the workers' user may
// not enter. The server serves all the same, or reports it in one sentence.
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>

#include "support/http_client.h"
#include "support/refused_calls.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

const std::vector<std::string> kModules = {"static_sendfile", "dynamic_aio"};
constexpr int kNoFilter = 77;

void refuse_or_end(const std::vector<long>& numbers, int error) {
  if (!refuse_calls(numbers, error)) ::_exit(kNoFilter);
}

bool can_filter() {
  const Outcome outcome = run({"true"}, {}, "", kWaitMs, [] { refuse_or_end({}, EPERM); });
  if (outcome.code != 0) WARN("no filter of system calls can be set here");
  return outcome.code == 0;
}

struct Refused {
  const char* name;
  std::vector<long> numbers;
};

// Some profile in use refuses each of these.
const Refused kServedWithout[] = {
    {"openat2", {SYS_openat2}},
    {"io_setup", {SYS_io_setup}},
    {"io_submit", {SYS_io_submit}},
    {"io_getevents", {SYS_io_getevents}},
    {"statx", {SYS_statx}},
    {"cachestat", {451}},
    {"preadv2", {SYS_preadv2}},
    {"mincore", {SYS_mincore}},
    {"sched_setattr", {SYS_sched_setattr, SYS_sched_getattr}},
    {"memfd_create", {SYS_memfd_create}},
    {"inotify", {SYS_inotify_init1, SYS_inotify_add_watch}},
    {"inotify_add_watch", {SYS_inotify_add_watch}},
    {"getrandom", {SYS_getrandom}},
    {"prctl", {SYS_prctl}},
    {"fadvise", {SYS_fadvise64}},
    {"madvise", {SYS_madvise}},
    {"setpriority", {SYS_setpriority}},
    {"rseq", {SYS_rseq}},
    {"faccessat2", {439}},
};

}  // namespace

TEST_CASE("the server serves although a filter refuses system calls", "[e2e][refused]") {
  if (!can_filter()) return;
  const std::string large = random_bytes(300'000);
  Site site(kModules);
  for (const char* folder : {"static/", "dynamic/"}) {
    site.write(std::string(folder) + "small.txt", "small");
    site.write(std::string(folder) + "large.bin", large);
    site.link(std::string(folder) + "link.txt", "small.txt");
    site.link(std::string(folder) + "outside.txt", "/etc/passwd");
  }
  for (const Refused& refused : kServedWithout) {
    for (const int error : {ENOSYS, EPERM}) {
      CAPTURE(refused.name, error);
      // LeakSanitizer itself needs prctl(2).
      Variables variables;
      if (refused.name == std::string_view("prctl")) variables.emplace("ASAN_OPTIONS", "detect_leaks=0");
      ServerProcess server(site, {}, variables, [&] { refuse_or_end(refused.numbers, error); });
      HttpClient client(server.endpoint());
      for (const std::string place : {"/static/", "/dynamic/"}) {
        CHECK(client.get(place + "small.txt").body == "small");
        CHECK(client.get(place + "large.bin").body == large);
        CHECK(client.get(place + "link.txt").body == "small");
        CHECK(client.get(place + "outside.txt").status == 404);
        CHECK(client.get(place + "missing.txt").status == 404);
      }
      CHECK(server.stop() == 0);
    }
  }
}

TEST_CASE("folders that the workers' user may not enter are named before the first request", "[e2e][refused]") {
  if (::geteuid() != 0 || ::getpwnam("www-data") == nullptr) {
    WARN("only root can start a server whose workers are another user");
    return;
  }
  Site site(kModules);
  site.write("static/a.txt", "a");
  site.write("dynamic/deep/a.txt", "a");
  ::chmod((site.root() + "/dynamic").c_str(), 0700);
  const std::string closed = "the user www-data may not enter the folder " + site.root() + "/dynamic";
  const Outcome checked = run(site.command({"--listen", "127.0.0.1:0", "--check"}));
  CHECK(checked.code != 0);
  CHECK_THAT(checked.err, Contains(closed));
  ServerProcess server(site);
  CHECK_THAT(server.log(), Contains(closed));
  HttpClient client(server.endpoint());
  CHECK(client.get("/static/a.txt").status == 200);
  CHECK(client.get("/dynamic/deep/a.txt").status == 403);
  CHECK(server.logs("may not enter the folder " + site.root() + "/dynamic\n"));

  ::chmod((site.root() + "/dynamic").c_str(), 0755);
  ::chmod(site.root().c_str(), 0700);
  const Outcome root_checked = run(site.command({"--listen", "127.0.0.1:0", "--check"}));
  CHECK(root_checked.code != 0);
  CHECK_THAT(root_checked.err, Contains("may not enter the folder " + site.root() + ","));
  ::chmod(site.root().c_str(), 0755);
  CHECK(run(site.command({"--listen", "127.0.0.1:0", "--check"})).code == 0);
}
