// A worker whose loop is held up does not outlive its supervisor.
#include "worker/lifeline.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "base/monotonic_clock.h"

using namespace sluice;

namespace {

// How a process ends when its supervisor ends. `turn_ns` is when the turn of its loop began.
int ending(std::uint64_t turn_ns, std::uint64_t limit_ms) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd supervisors(ends[0]);
  const UniqueFd workers(ends[1]);
  const pid_t worker = ::fork();
  REQUIRE(worker >= 0);
  if (worker == 0) {
    supervisors.reset();
    WorkerStats stats;
    stats.turn_began_ns.set(turn_ns);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    const auto lifeline = Lifeline::start(stats, workers.get(), limit_ms);
    if (!lifeline) ::_exit(1);
    for (;;) ::pause();
  }
  supervisors.reset();
  int status = 0;
  REQUIRE(::waitpid(worker, &status, 0) == worker);
  return status;
}

}  // namespace

TEST_CASE("a loop that is held up ends with its supervisor", "[lifeline]") {
  constexpr std::uint64_t kLong = 3'600'000;
  CHECK(WTERMSIG(ending(monotonic_ns(), kLong)) == SIGKILL);
}

TEST_CASE("draining after the supervisor's end has a limit", "[lifeline]") {
  CHECK(WTERMSIG(ending(0, 100)) == SIGKILL);
}

TEST_CASE("a lifeline that is no longer needed ends at once", "[lifeline]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd supervisors(ends[0]);
  const UniqueFd workers(ends[1]);
  const WorkerStats stats;
  CHECK(Lifeline::start(stats, workers.get(), 1));
}
