// The pipe of the log: its content is passed on, however fast other processes write.
#include "process/log_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <csignal>
#include <string>

#include "base/log.h"

using namespace sluice;

namespace {

// Stderr leads elsewhere as long as this lives.
struct Stderr {
  explicit Stderr(int fd) { REQUIRE(::dup2(fd, STDERR_FILENO) == STDERR_FILENO); }
  ~Stderr() { ::dup2(before.get(), STDERR_FILENO); }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;
  const UniqueFd before{::dup(STDERR_FILENO)};
};

struct Counted final : Timer {
  int times = 0;
  void fired() override { ++times; }
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a process that writes without a pause does not hold the loop up", "[log_pipe]") {
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const Stderr elsewhere(nowhere.get());
  LogPipe pipe(*loop);
  REQUIRE(pipe.open());
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::fcntl(pipe.writing_fd(), F_SETFL, 0);
    const std::string line(PIPE_BUF, 'x');
    for (;;) static_cast<void>(::write(pipe.writing_fd(), line.data(), line.size()));
  }
  for (int i = 0; i < 3; ++i) loop->turn(10'000);  // returns
  ::kill(writer, SIGKILL);
  CHECK(::waitpid(writer, nullptr, 0) == writer);
  pipe.close();
}

TEST_CASE_METHOD(Fixture, "lines wait until stderr is read again, and the loop sleeps meanwhile",
                 "[log_pipe]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::string filler(PIPE_BUF, '-');
  while (::write(writer.get(), filler.data(), filler.size()) > 0) {
  }
  const Stderr unread(writer.get());
  LogPipe pipe(*loop);
  REQUIRE(pipe.open());
  REQUIRE(::write(pipe.writing_fd(), "words\n", 6) == 6);
  Counted last;
  for (int i = 0; i < 10 && last.times == 0; ++i) {
    // After the first turns only the timer ends a turn.
    if (i == 3) loop->timers().start(loop->now_ms() + 100, last);
    loop->turn(i < 3 ? 0 : -1);
    CHECK(last.times == (i < 3 ? 0 : 1));
  }
  std::string got;
  char buffer[PIPE_BUF];
  for (int i = 0; i < 1000 && got.find("words") == std::string::npos; ++i) {
    const ssize_t size = ::read(reader.get(), buffer, sizeof(buffer));
    if (size > 0) got.append(buffer, static_cast<std::size_t>(size));
    loop->turn(0);
  }
  CHECK(got.ends_with("words\n"));
  pipe.close();
}

TEST_CASE_METHOD(Fixture, "a process that makes its end of the pipe block does not block this one",
                 "[log_pipe]") {
  LogPipe pipe(*loop);
  REQUIRE(pipe.open());
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::fcntl(pipe.writing_fd(), F_SETFL, 0);
    const std::string line(PIPE_BUF, 'x');
    for (;;) static_cast<void>(::write(pipe.writing_fd(), line.data(), line.size()));
  }
  pollfd room{pipe.writing_fd(), POLLOUT, 0};
  while (::poll(&room, 1, 0) != 0) ::usleep(1'000);  // until the pipe is full
  log(LogLevel::info, "it returns");
  ::kill(writer, SIGKILL);
  CHECK(::waitpid(writer, nullptr, 0) == writer);
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const Stderr elsewhere(nowhere.get());
  pipe.close();
}

TEST_CASE_METHOD(Fixture, "a forked process goes on logging", "[log_pipe]") {
  const UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  const Stderr elsewhere(file.get());
  LogPipe pipe(*loop);
  REQUIRE(pipe.open());
  const pid_t child = ::fork();
  if (child == 0) {
    pipe.close_reading();
    log(LogLevel::info, "from the child");
    ::_exit(0);
  }
  CHECK(::waitpid(child, nullptr, 0) == child);
  pipe.forward();
  pipe.close();
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::pread(file.get(), text.data(), text.size(), 0)));
  CHECK_THAT(text, Catch::Matchers::Contains("from the child\n"));
}
