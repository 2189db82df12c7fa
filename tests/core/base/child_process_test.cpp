// A function in a child process never outlives the process that waits for it.
#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "settings/user.h"

using namespace sluice;

namespace {

constexpr int kWaitMs = 10'000;

// Kills the parent of a child that calls `becomes`, for instance to change its user, and then hangs.
void check_that_it_dies_with_its_parent(const std::function<void()>& becomes) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    const auto never = run_in_child(
        [&] {
          becomes();
          return std::to_string(::write(writing.get(), "x", 1) + ::pause());
        },
        10 * kWaitMs);
    ::_exit(never ? 0 : 1);
  }
  writing.reset();
  char byte = 0;
  REQUIRE(::read(reading.get(), &byte, 1) == 1);  // the child is at work
  CHECK(::kill(parent, SIGKILL) == 0);
  CHECK(::waitpid(parent, nullptr, 0) == parent);
  pollfd wanted{reading.get(), POLLIN, 0};
  REQUIRE(::poll(&wanted, 1, kWaitMs) == 1);  // the child had the other end open
  CHECK(::read(reading.get(), &byte, 1) == 0);
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

TEST_CASE("a child is killed when its parent is", "[child]") {
  check_that_it_dies_with_its_parent([] {});
}

TEST_CASE("a child that has changed its user is killed when its parent is", "[child]") {
  if (::geteuid() != 0) {
    WARN("skipped: only root may change its user");
    return;
  }
  check_that_it_dies_with_its_parent([] {
    if (!become(User{"nobody", 65534, 65534})) ::_exit(1);
  });
}

TEST_CASE("the wait for a child that hangs after its report is limited", "[child]") {
  const auto report = run_in_child(
      [] {
        for (int fd = 3; fd < 64; ++fd) ::close(fd);
        return std::to_string(::pause());
      },
      300);
  REQUIRE_FALSE(report);
  CHECK(report.error().message == "did not finish within 0 s");
}

TEST_CASE("the wait for a child that reports without end is limited", "[child]") {
  const auto report = run_in_child(
      [] {
        // It ends, while a process that it has started goes on writing.
        if (::fork() == 0) {
          const std::string text(4096, 'x');
          for (;;) {
            for (int fd = 3; fd < 64; ++fd) {
              if (::write(fd, text.data(), text.size()) < 0 && errno == EPIPE) ::_exit(0);
            }
          }
        }
        return std::string("enough");
      },
      kWaitMs);
  REQUIRE_FALSE(report);
  CHECK(report.error().message == "reported more than it should");
}
