// The pipe of the log: its content is passed on, however fast other processes write.
#include "process/log_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <sys/wait.h>
#include <catch2/catch.hpp>
#include <climits>
#include <csignal>
#include <string>

#include "base/log.h"

using namespace sluice;

TEST_CASE("a process that writes without a pause does not hold the reader up", "[log_pipe]") {
  const UniqueFd before(::dup(STDERR_FILENO));
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  LogPipe pipe;
  REQUIRE(pipe.open());
  REQUIRE(::dup2(nowhere.get(), STDERR_FILENO) == STDERR_FILENO);
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::fcntl(pipe.writing_fd(), F_SETFL, 0);
    const std::string line(PIPE_BUF, 'x');
    for (;;) static_cast<void>(::write(pipe.writing_fd(), line.data(), line.size()));
  }
  for (int i = 0; i < 3; ++i) {
    pollfd wanted = pipe.wanted();
    CHECK(::poll(&wanted, 1, 10'000) == 1);
    pipe.forward();  // returns
  }
  ::kill(writer, SIGKILL);
  CHECK(::waitpid(writer, nullptr, 0) == writer);
  pipe.close();
  REQUIRE(::dup2(before.get(), STDERR_FILENO) == STDERR_FILENO);
}
