// A worker, and a test that acts as its supervisor.
#include "worker/worker.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

constexpr int kWaitMs = 20'000;

struct Fixture {
  TempFolder folder;
  UniqueFd control;
  pid_t worker = -1;

  Fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    control.reset(ends[0]);
    const UniqueFd theirs(ends[1]);
    Settings settings;
    settings.root = folder.path;
    settings.user = ::geteuid() == 0 ? "root" : "";
    settings.timeouts.drain_ms = 1;
    const PlanPtr plan = std::move(*make_plan(settings));
    worker = ::fork();
    REQUIRE(worker >= 0);
    if (worker > 0) return;
    control.reset();
    WorkerStats stats;
    auto made = Worker::prepare(*plan, plan->groups.front(), {}, stats, {});
    ::_exit(made && (*made)->run({}, theirs.get()) ? 0 : 1);
  }
  ~Fixture() {
    if (worker <= 0) return;
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
  }

  bool waits_for_message() {
    pollfd wanted{control.get(), POLLIN, 0};
    return ::poll(&wanted, 1, kWaitMs) == 1;
  }
  // The worker's next message, or the news that it is gone.
  Heard hear(WorkerMessage& message) {
    REQUIRE(waits_for_message());
    return receive_message(control.get(), message);
  }
  void prepare(std::uint64_t number) {
    REQUIRE(send_message(control.get(), {ControlMessage::prepare, number}));
    WorkerMessage message;
    REQUIRE(hear(message) == Heard::message);
    CHECK(message.kind == ControlMessage::prepared);
    CHECK(message.number == number);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a worker ends when it is told to take a change that it has not prepared",
                 "[worker]") {
  WorkerMessage message;
  REQUIRE(hear(message) == Heard::message);
  REQUIRE(message.kind == ControlMessage::ready);
  prepare(1);
  REQUIRE(send_message(control.get(), {ControlMessage::commit, 1}));
  prepare(2);
  REQUIRE(send_message(control.get(), {ControlMessage::abandon, 1}));  // of an earlier change
  REQUIRE(send_message(control.get(), {ControlMessage::commit, 2}));
  prepare(3);
  REQUIRE(send_message(control.get(), {ControlMessage::commit, 4}));
  CHECK(hear(message) == Heard::gone);
  int status = 0;
  REQUIRE(::waitpid(worker, &status, 0) == worker);
  worker = -1;
  CHECK(status == 0);
}
