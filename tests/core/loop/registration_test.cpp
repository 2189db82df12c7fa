// Registrations end with their owner, whoever else holds the file.
#include "loop/registration.h"

#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>

using namespace sluice;

namespace {

struct Watched final : Pollable {
  int events = 0;
  void on_events(std::uint32_t) override { ++events; }
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  Watched watched;
  UniqueFd readable{::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)};

  // How many events three turns bring.
  int events() {
    watched.events = 0;
    for (int i = 0; i < 3; ++i) loop->turn(0);
    return watched.events;
  }
};

struct Fired final : Timer {
  bool has = false;
  void fired() override { has = true; }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a registration lasts until its owner ends it, or is destroyed", "[registration]") {
  Registration registration;
  registration.change(EPOLLOUT);  // nothing is registered yet
  REQUIRE(registration.begin(*loop, readable.get(), EPOLLIN, watched));
  CHECK(events() == 3);
  registration.change(0);
  CHECK(events() == 0);
  registration.change(EPOLLOUT);
  CHECK(events() == 3);
  registration.end();
  CHECK(events() == 0);
  registration.change(EPOLLIN);
  CHECK(events() == 0);
  {
    Registration another;
    REQUIRE(another.begin(*loop, readable.get(), EPOLLIN, watched));
  }
  CHECK(events() == 0);
  CHECK_FALSE(registration.begin(*loop, -1, EPOLLIN, watched));
}

TEST_CASE_METHOD(Fixture, "a registration has ended although the file is still open elsewhere",
                 "[registration]") {
  const UniqueFd elsewhere(::dup(readable.get()));
  {
    const UniqueFd owned = std::move(readable);
    Registration registration;
    REQUIRE(registration.begin(*loop, owned.get(), EPOLLIN, watched));
  }
  CHECK(events() == 0);
  // Nor does the loop wake up for it.
  Fired fired;
  loop->timers().start(loop->now_ms() + 20, fired);
  loop->turn();
  CHECK(fired.has);
}

TEST_CASE_METHOD(Fixture, "a forked process that has closed the loop changes nothing in it", "[registration]") {
  const auto registration = std::make_unique<Registration>();
  REQUIRE(registration->begin(*loop, readable.get(), EPOLLIN, watched));
  const pid_t child = ::fork();
  if (child == 0) {
    loop->close_for_child();
    registration->change(0);
    registration->end();
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(events() == 3);
}
