// The settings that a process asks the kernel for are the ones that the kernel reports.
#include "base/process_setup.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <thread>

using namespace sluice;

namespace {

// The first version of sched_getattr(2)'s struct. The kernel's header cannot be included with the C
// library's.
struct Scheduling {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};

Scheduling scheduling() {
  Scheduling attributes{};
  REQUIRE(::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == 0);
  return attributes;
}

}  // namespace

TEST_CASE("a thread gets the short slices that it asks for, and nothing else changes", "[process_setup]") {
  Scheduling before{};
  Scheduling after{};
  std::thread([&] {
    before = scheduling();
    ask_for_short_slices();
    after = scheduling();
  }).join();
  CHECK(after.policy == before.policy);
  CHECK(after.nice == before.nice);
  // Kernels without slices of one's own report none.
  CHECK((before.runtime_ns == 0) == (after.runtime_ns == 0));
  if (after.policy == SCHED_OTHER) CHECK(after.runtime_ns <= 250'000);
}

TEST_CASE("closed standard streams are not replaced by other files", "[process_setup]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDERR_FILENO);
    open_standard_descriptors();
    const bool writable = ::write(STDERR_FILENO, "x", 1) == 1;
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::_exit(writable && next > STDERR_FILENO ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("signals without a meaning do not end the process", "[process_setup]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ignore_idle_signals();
    for (const int signal : {SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGPROF, SIGIO, SIGPWR, SIGRTMIN, SIGRTMAX})
      ::raise(signal);
    ::_exit(7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 7));
}
