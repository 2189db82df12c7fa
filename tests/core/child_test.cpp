// A function in a child process never outlives who waits for it.
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "unique_fd.h"

using namespace sluice;

namespace {

constexpr int kWaitMs = 10'000;

}  // namespace

TEST_CASE("a child is killed when its parent is", "[child]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    const auto never =
        run_in_child([&] { return std::to_string(::write(writing.get(), "x", 1) + ::pause()); }, 10 * kWaitMs);
    ::_exit(never ? 0 : 1);
  }
  writing.reset();
  char byte = 0;
  REQUIRE(::read(reading.get(), &byte, 1) == 1);  // the child is at work
  CHECK(::kill(parent, SIGKILL) == 0);
  CHECK(::waitpid(parent, nullptr, 0) == parent);
  pollfd wanted{reading.get(), POLLIN, 0};
  REQUIRE(::poll(&wanted, 1, kWaitMs) == 1);  // the child held the other end
  CHECK(::read(reading.get(), &byte, 1) == 0);
}
