// Processes in unusual states: a worker that cannot be ended, a supervisor that is the first process of a
// container, and workers that a container lets not confine themselves.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "base/landlock.h"
#include "support/refused_calls.h"
#include "support/server_process.h"

using namespace sluice::test;

// The kernel tells a process' end to its tracer first, which is this test. So for its parent it has not
// ended, like a process that a disk holds in the kernel.
TEST_CASE("a worker that does not end when it is killed is replaced without waiting", "[e2e][processes]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, {"--workers", "1", "--hang-limit", "100ms"}, {{"ASAN_OPTIONS", "detect_leaks=0"}});
  const auto trace = [&] {
    const pid_t worker = server.workers().at(0);
    if (::ptrace(PTRACE_SEIZE, worker, nullptr, nullptr) == 0) return worker;
    WARN("no process can be traced here");
    return -1;
  };
  const auto told = [](pid_t worker) {
    return "(process " + std::to_string(worker) +
           ") was killed and does not end: nothing waits for it any more";
  };
  const pid_t held = trace();
  if (held < 0) return;
  HttpClient waiting(server.endpoint());
  waiting.request("GET", "/sleeper/60000");
  int status = 0;
  // The signals that are to kill it come to this process first.
  REQUIRE(::waitpid(held, &status, 0) == held);
  CHECK(server.logs(told(held)));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);

  const pid_t retired = trace();
  CHECK(server.reload());
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
  CHECK(server.logs(told(retired)));
  for (const pid_t worker : {held, retired}) {
    while (::waitpid(worker, &status, 0) == worker && !WIFEXITED(status) && !WIFSIGNALED(status)) {
    }
  }
}

TEST_CASE("the first process of a container handles TERM while it starts", "[e2e][processes]") {
  const Site site({"create_hangs"});
  const auto as_first = [] {
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(77);
    const pid_t first = ::fork();
    if (first == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      return;
    }
    int status = 0;
    ::waitpid(first, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 78);
  };
  Process container(site.command({"--listen", "127.0.0.1:0", "--workers", "1", "--swap-timeout", "1s"}), {}, "",
                    as_first);
  const auto child_of = [](pid_t pid) {
    const std::string number = std::to_string(pid);
    std::ifstream children("/proc/" + number + "/task/" + number + "/children");
    pid_t child = 0;
    children >> child;
    return child;
  };
  // The children in which it tries things are part of the start.
  pid_t first = 0;
  const bool tries = eventually([&] {
    first = child_of(container.pid());
    return !container.running() || (first != 0 && child_of(first) != 0);
  });
  if (!container.running()) {
    WARN("no process can be the first of its own here");
    return;
  }
  REQUIRE(tries);
  REQUIRE(::kill(first, SIGTERM) == 0);
  CHECK(container.wait() == 0);
}

TEST_CASE("what a container refuses is warned of once, not by each worker, and again at a reload",
          "[e2e][confinement]") {
  const Site site({"hello"});
  const auto refuse = [] { refuse_calls({SYS_capset, SYS_landlock_restrict_self}, EPERM); };
  std::vector<std::string> options{"--workers", "2"};
  const bool is_root = ::geteuid() == 0;
  if (is_root) options.insert(options.end(), {"--user", "root"});  // who has capabilities to give up
  ServerProcess server(site, options, {}, refuse);
  const std::size_t refused = (sluice::landlock_version() > 0 ? 1 : 0) + (is_root ? 1 : 0);
  const std::vector<pid_t> before = server.workers();
  ::kill(before.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 2 && server.workers() != before; }));
  CHECK(server.count_in_log("workers are confined without: ") == refused);
  CHECK(server.reload());
  CHECK(server.count_in_log("workers are confined without: ") == 2 * refused);
  CHECK(server.stop() == 0);
}
