// Something has run out: descriptors, memory, processes, threads, room on a disk. What can be served is served,
// one line says what is missing, and everything goes on by itself when it is there again.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/chrono.h>
#include <catch2/catch.hpp>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "support/failing_system.h"
#include "support/served_file.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

// Root's own limits may be changed by a test that is root.
std::vector<std::string> as_own_user(std::vector<std::string> options) {
  if (::geteuid() == 0) options.insert(options.end(), {"--user", "root"});
  return options;
}

void limit(pid_t pid, decltype(RLIMIT_AS) what, rlim_t most) {
  rlimit now{};
  REQUIRE(::prlimit(pid, what, nullptr, &now) == 0);
  now.rlim_cur = std::min(most, now.rlim_max);
  REQUIRE(::prlimit(pid, what, &now, nullptr) == 0);
}

// Puts a module into the folder, whole at once.
void drop_in(const Site& site, const std::string& module) {
  fs::copy_file(module_file(module), site.path("new"));
  fs::rename(site.path("new"), site.plugins() + "/" + module + ".so");
}

bool has_workers(const ServerProcess& server, std::size_t count) {
  return eventually([&] { return server.workers().size() == count; });
}

struct Shortage {
  const char* call;
  int error;
  const char* who;
  const char* says;
  bool holds_modules_up;
};

void kill_one(const ServerProcess& server) {
  ::kill(server.workers().front(), SIGKILL);
}

}  // namespace

TEST_CASE("while no worker can be started, the others accept in its place", "[e2e][running_out]") {
  const auto shortage = GENERATE(
      Shortage{"fork", EAGAIN, "", "cannot fork a worker: Resource temporarily unavailable", true},
      Shortage{"epoll_ctl", ENOSPC, "supervisor", "cannot watch the socket of a worker: No space left", true},
      Shortage{"mmap", ENOMEM, "", "cannot map memory for a worker's counters: Cannot allocate memory", false},
      Shortage{"pthread_create", EAGAIN, "worker", "cannot start a thread: Resource temporarily", false});
  const std::string call = shortage.call;
  CAPTURE(call);
  if ((call == "mmap" || call == "pthread_create") && has_sanitizer()) {
    WARN("SKIPPED: a sanitizer has its own " << call);
    return;
  }
  const FailingSystem kernel;
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2", "--swap-quiet", "20ms"}, kernel.variables());
  REQUIRE(all_served(server, "/hello/"));
  const std::ptrdiff_t descriptors = descriptors_of(server.pid());
  kernel.fail(call, shortage.error, shortage.who);
  kill_one(server);
  CHECK(server.logs(shortage.says));
  CHECK(eventually([&] { return all_served(server, "/hello/"); }));
  drop_in(site, "echo");
  if (shortage.holds_modules_up) CHECK(server.logs("echo.so is not taken"));
  kernel.mend(call);
  CHECK(has_workers(server, 2));
  CHECK(eventually([&] { return all_served(server, "/echo/", 5); }));
  CHECK(all_served(server, "/hello/"));
  CHECK(eventually([&] { return descriptors_of(server.pid()) <= descriptors + 1; }));  // one for the new module
  if (call != "pthread_create") CHECK(server.count_in_log(shortage.says) == 1);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("a supervisor without descriptors goes on when it has some again", "[e2e][running_out]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2", "--swap-quiet", "20ms"});
  REQUIRE(all_served(server, "/hello/"));
  const std::ptrdiff_t descriptors = descriptors_of(server.pid());
  limit(server.pid(), RLIMIT_NOFILE, 0);
  kill_one(server);
  CHECK(server.logs(
      "cannot make a socket pair for a worker: Too many open files; it is tried again every second"));
  CHECK(eventually([&] { return all_served(server, "/hello/"); }));
  drop_in(site, "echo");
  server.signal(SIGHUP);
  CHECK(server.logs("not reloaded, and nothing changes"));
  limit(server.pid(), RLIMIT_NOFILE, RLIM_INFINITY);
  CHECK(has_workers(server, 2));
  CHECK(eventually([&] { return all_served(server, "/echo/", 5); }));
  CHECK(server.count_in_log("cannot make a socket pair for a worker") == 1);
  CHECK(server.reload());
  CHECK(eventually([&] { return descriptors_of(server.pid()) <= descriptors + 1; }));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("a worker without descriptors answers 503, and files again when it has some", "[e2e][running_out]") {
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  const std::string at = module == "static_sendfile" ? "/static/" : "/dynamic/";
  CAPTURE(module);
  const Site site({"hello", module});
  for (int i = 0; i < 8; ++i) site.write(at.substr(1) + std::to_string(i), "content");
  ServerProcess server(site, as_own_user({"--workers", "1"}));
  const pid_t worker = server.workers().front();
  REQUIRE(all_served(server, at + "0"));
  HttpClient client(server.endpoint());
  REQUIRE(client.get("/hello/").status == 200);
  limit(worker, RLIMIT_NOFILE, 0);
  CHECK(client.get("/hello/").status == 200);
  CHECK(client.get(at + "7").status == 503);
  limit(worker, RLIMIT_NOFILE, RLIM_INFINITY);
  CHECK(client.get(at + "7").status == 200);
  CHECK(all_served(server, at + "6"));
  CHECK(server.workers().front() == worker);
  CHECK(server.stop() == 0);
}

TEST_CASE("what the kernel refuses to file modules costs time, not answers", "[e2e][running_out]") {
  const auto shortage =
      GENERATE(Shortage{"io_setup", EAGAIN, "", "no AIO context is left, so threads read the files", false},
               Shortage{"io_submit", EAGAIN, "", "", false},
               Shortage{"inotify_init1", EMFILE, "", "the kernel cannot report changes of files", false},
               Shortage{"inotify_add_watch", ENOSPC, "", "no inotify watch is left", false});
  const std::string call = shortage.call;
  CAPTURE(call);
  const FailingSystem kernel;
  kernel.fail(call, shortage.error, shortage.who);
  const Site site({"static_sendfile", "dynamic_aio"});
  const std::string content = random_bytes(300'000);
  for (const char* name : {"static/a", "dynamic/a"}) write_cold(site, name, content);
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms"}, kernel.variables());
  for (const char* target : {"/static/a", "/dynamic/a"})
    CHECK(fetch(server.endpoint(), target).body == content);
  for (const char* name : {"static/a", "dynamic/a"}) site.write(name, "changed");
  for (const char* target : {"/static/a", "/dynamic/a"})
    CHECK(fetch(server.endpoint(), target).body == "changed");
  CHECK(server.logs(shortage.says));
  kernel.mend(call);
  CHECK(server.reload());  // new workers have all of it
  for (const char* target : {"/static/a", "/dynamic/a"}) CHECK(all_served(server, target, 5));
  CHECK(server.stop() == 0);
}

TEST_CASE("a full disk costs lines of the log and changes of modules, until it has room",
          "[e2e][running_out]") {
  const Site site({"hello"});
  const std::string disk = site.path("disk");
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=64m") != 0) {
    WARN("SKIPPED: only root may mount a small disk");
    return;
  }
  struct Unmount {
    const std::string& disk;
    ~Unmount() { ::umount2(disk.c_str(), MNT_DETACH); }
  } const unmount{disk};
  ServerProcess server(site, {"--workers", "1", "--swap-quiet", "20ms", "--access-log", disk + "/access.log"},
                       {{"TMPDIR", disk}});
  REQUIRE(all_served(server, "/hello/", 3));
  fill(disk + "/filler");
  // Some lines still fit into the last page of the file.
  CHECK(
      eventually([&] { return !all_served(server, "/hello/") || server.logs("access.log lost lines (", 0); }));
  CHECK(all_served(server, "/hello/"));
  drop_in(site, "echo");
  CHECK(server.logs(
      "echo.so is not taken: echo.so cannot be copied to a private place: No space left on device; it is "
      "tried again every 5 s"));
  kill_one(server);
  CHECK(eventually([&] { return all_served(server, "/hello/"); }));
  fs::remove(disk + "/filler");
  CHECK(eventually([&] { return all_served(server, "/echo/", 1); }));
  CHECK(server.count_in_log("echo.so is not taken") == 1);
  CHECK(server.count_in_log("lost lines") <= 4);  // one each 10 s
  CHECK(eventually([&] { return read_file(disk + "/access.log").find("GET /echo/ ") != std::string::npos; }));
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("without shared memory questions have no answer, and nothing else is missing", "[e2e][running_out]") {
  const FailingSystem kernel;
  const Site site({"hello", "status"});
  ServerProcess server(site, {"--workers", "1"}, kernel.variables());
  kernel.fail("memfd_create", EMFILE);
  CHECK(fetch(server.endpoint(), "/-/metrics").status == 503);
  CHECK(all_served(server, "/hello/"));
  kernel.mend("memfd_create");
  CHECK(eventually([&] { return fetch(server.endpoint(), "/-/metrics").status == 200; }));
  CHECK(server.stop() == 0);
}

TEST_CASE("the time of day may jump both ways", "[e2e][running_out]") {
  const FailingSystem kernel;
  const Site site({"hello", "static_sendfile"});
  site.write("static/a", "content");
  ServerProcess server(site, {"--workers", "1", "--access-log", site.path("access.log")}, kernel.variables());
  HttpClient kept(server.endpoint());
  REQUIRE(kept.get("/static/a").status == 200);
  for (const int jump : {1'000'000'000, -1'000'000'000, 0}) {
    kernel.fail("clock", jump);
    const HttpAnswer answer = kept.get("/static/a");  // no deadline has passed
    CHECK(answer.status == 200);
    CHECK(answer.body == "content");
    const std::time_t shown = std::time(nullptr) + jump;
    CHECK_THAT(answer.field("Date"), Catch::Matchers::Contains(fmt::format(" {:%Y} ", fmt::gmtime(shown))));
    CHECK(kept.get("/static/a", "If-Modified-Since: " + answer.field("Last-Modified") + "\r\n").status == 304);
    CHECK(all_served(server, "/hello/", 3));
  }
  CHECK(server.reload());
  CHECK(server.stop() == 0);
}
