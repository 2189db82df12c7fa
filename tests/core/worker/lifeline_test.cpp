// A worker whose loop is held up does not outlive its supervisor.
#include "worker/lifeline.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "base/monotonic_clock.h"
#include "support/server_process.h"

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
  WorkerStats stats;
  CHECK(Lifeline::start(stats, workers.get(), 1));
}

TEST_CASE("a worker that nobody else may look at tells what its loop waits for", "[lifeline]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd supervisors(ends[0]);
  const UniqueFd workers(ends[1]);
  const UniqueFd asked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  WorkerStats stats;
  const auto lifeline = Lifeline::start(stats, workers.get(), 1, asked.get());
  REQUIRE(lifeline);
  for (std::uint64_t times = 1; times <= 2; ++times) {
    REQUIRE(::eventfd_write(asked.get(), 1) == 0);
    REQUIRE(test::eventually([&] { return stats.wait_told.get() / 4 == times; }));
    // This thread sleeps, or looks whether it was told.
    CHECK(stats.wait_told.get() % 4 != static_cast<std::uint64_t>(WaitKind::disk));
  }
}
