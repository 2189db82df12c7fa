// A worker's process as its supervisor's loop hears it: one that never stops talking, and one that does not go.
#include "process/worker_process.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

using namespace sluice;

namespace {

// In the child: its socket to the supervisor.
int own_control() {
  for (int fd = 3; fd < 256; ++fd) {
    int type = 0;
    socklen_t size = sizeof(type);
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET) return fd;
  }
  ::_exit(1);
}

struct Fixture : WorkerProcess::Owner {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<WorkerProcess> worker;
  int messages = 0;
  int given_up = 0;

  // `act` takes the place of the worker.
  void start(const std::function<void()>& act) {
    WorkerProcess::Start start;
    start.plan = std::make_shared<ServingPlan>();
    start.close_others = [act](const std::vector<ListeningSocket>&) {
      act();
      ::_exit(0);
    };
    worker = std::move(*WorkerProcess::start(start, {}, *loop, *this));
  }
  ~Fixture() { ::waitpid(-1, nullptr, 0); }

  void heard(WorkerProcess& from, const WorkerMessage&) override {
    if (++messages == 10'000) from.kill();  // else a loop without a bound would never end
  }
  void does_not_end(WorkerProcess&) override {
    ++given_up;
    worker.reset();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a worker that does not read what it is told is known", "[worker_process]") {
  start([] {
    for (;;) ::pause();
  });
  CHECK(worker->reads_messages());
  int told = 0;
  while (worker->reads_messages() && told < 1000 && worker->tell({ControlMessage::told, 1})) ++told;
  CHECK(told > 3);
  CHECK(told < 100);
  worker->kill();
}

TEST_CASE_METHOD(Fixture, "a worker that talks without a pause leaves each turn to others, too",
                 "[worker_process]") {
  start([] {
    for (const int control = own_control();;) send_message(control, {ControlMessage::ready});
  });
  while (messages == 0) loop->turn(10'000);
  CHECK(worker->ready());
  for (int i = 0; i < 10; ++i) {
    const int before = messages;
    loop->turn(10'000);
    CHECK(messages - before <= 100);
  }
  worker->kill();
}

TEST_CASE_METHOD(Fixture, "a worker that is killed and not reaped is given up, and may be forgotten then",
                 "[worker_process]") {
  start([] { ::pause(); });
  SECTION("killed by its supervisor") {
    worker->kill();
  }
  SECTION("or by another process") {
    ::kill(worker->pid(), SIGKILL);
  }
  for (int i = 0; i < 100 && given_up == 0; ++i) loop->turn(100);
  CHECK(given_up == 1);
  CHECK(worker == nullptr);
  CHECK(messages == 0);
}
