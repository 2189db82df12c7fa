// The snapshot of a dying thread: signal, module, request and frames, whose names are looked up afterwards.
#include "telemetry/fault_handler.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "process/culprit.h"
#include "process/symbols.h"

using namespace sluice;

namespace {

volatile std::uintptr_t nowhere = 16;

[[gnu::noinline]] void fall_over() {
  std::raise(SIGABRT);
}

// Overwrites the stack, as writing beyond the end of an array does. Following the frames then leads to
// addresses that are not mapped.
__attribute__((noinline, no_sanitize("address", "undefined"))) void smash_and_abort() {
  auto* frame = static_cast<volatile std::uintptr_t*>(__builtin_frame_address(0));
  frame[0] = 0x4141414141414141;
  frame[1] = reinterpret_cast<std::uintptr_t>(&smash_and_abort) + 48;
  std::raise(SIGABRT);
}

struct Fixture {
  WorkerStats* stats = static_cast<WorkerStats*>(
      ::mmap(nullptr, sizeof(WorkerStats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

  ~Fixture() { ::munmap(stats, sizeof(WorkerStats)); }
  // The status of a child that runs `task`.
  int run(const std::function<void()>& task) const {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (const int signal : {SIGSEGV, SIGABRT}) ::signal(signal, SIG_DFL);  // the test's own handlers
      install_fault_handler(*stats);
      const FaultStack stack(0);
      task();
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return status;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a fatal signal leaves a snapshot, and the process dies of it", "[fault_handler]") {
  const int status = run([this] {
    Request request;
    request.method_name = Bytes("GET", 3);
    request.target = Bytes("/a?b", 4);
    const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 3), &request);
    fall_over();
  });
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  REQUIRE(stats->fault.taken == 2);
  const Culprit culprit = read_snapshot(*stats, stats->fault);
  CHECK(culprit.signal == SIGABRT);
  CHECK(culprit.text() == "inside module hello, generation 3, for GET /a?b HTTP/1.1");
  std::string names;
  for (const std::string& line : describe_frames(culprit.frames, "/nowhere")) names += line + "\n";
  CHECK(names.find("fall_over() at fault_handler_test.cpp:") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a fault outside of any module is the server's", "[fault_handler]") {
  const int status = run([] { *reinterpret_cast<volatile int*>(nowhere) = 1; });
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
  CHECK(read_snapshot(*stats, stats->fault).text() == "in the server itself, outside any module");
}

TEST_CASE_METHOD(Fixture, "a thread without a note is not taken for the loop", "[fault_handler]") {
  SECTION("its own fault is not blamed on a module") {
    run([this] {
      const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1));
      std::thread(fall_over).join();
    });
    CHECK(read_snapshot(*stats, stats->fault).module.empty());
  }
  SECTION("a signal to the process counts for the loop") {
    run([this] {
      const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1));
      std::thread other([] { ::pause(); });
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      ::kill(::getpid(), SIGABRT);
      other.join();
    });
    CHECK(read_snapshot(*stats, stats->fault).module == "hello");
  }
  CHECK(stats->fault.signal == SIGABRT);
}

TEST_CASE_METHOD(Fixture, "the request is named even if the stack was overwritten", "[fault_handler]") {
  run([this] {
    Request request;
    request.method_name = Bytes("GET", 3);
    request.target = Bytes("/smash", 6);
    const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1), &request);
    smash_and_abort();
  });
  CHECK(stats->fault.taken >= 1);
  CHECK(read_snapshot(*stats, stats->fault).text() ==
        "inside module hello, generation 1, for GET /smash HTTP/1.1");
}

TEST_CASE_METHOD(Fixture, "exit leaves a snapshot, but not in a forked process", "[fault_handler]") {
  const int status = run([this] {
    const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1));
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    ::waitpid(child, nullptr, 0);
    if (stats->fault.taken == 0) std::exit(3);
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 3);
  const Culprit culprit = read_snapshot(*stats, stats->fault);
  CHECK(culprit.text() == "inside module hello, generation 1");
  CHECK(culprit.signal == 0);
}

TEST_CASE_METHOD(Fixture, "a signal from another process counts as from outside", "[fault_handler]") {
  run([this] {
    const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1));
    const pid_t self = ::getpid();
    const pid_t other = ::fork();
    if (other == 0) {
      ::kill(self, SIGABRT);
      ::_exit(0);
    }
    for (;;) ::pause();
  });
  const Culprit culprit = read_snapshot(*stats, stats->fault);
  CHECK(culprit.module == "hello");
  CHECK(culprit.outside);
  CHECK(culprit.blamed().empty());
}

TEST_CASE_METHOD(Fixture, "the look signal takes a snapshot, and the process goes on", "[fault_handler]") {
  const int status = run([this] {
    const NotedCall noted(stats->notes[0], make_module_tag(stats->module_index("hello"), 1));
    for (int i = 0; i < 2; ++i) std::raise(kLookSignal);
  });
  CHECK(WIFEXITED(status));
  CHECK(stats->held.taken == 4);
  CHECK(read_snapshot(*stats, stats->held).text() == "inside module hello, generation 1");
  CHECK(stats->fault.taken == 0);
}
