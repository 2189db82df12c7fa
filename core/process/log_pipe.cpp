#include "process/log_pipe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/log.h"

namespace sluice {
namespace {

// A pipe that poll(2) reports as writable takes this much without blocking.
constexpr std::size_t kChunk = PIPE_BUF;

}  // namespace

Result<void> LogPipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("cannot make a pipe for the log", errno);
  reading_.reset(ends[0]);
  writing_.reset(ends[1]);
  set_log_fd(writing_.get());
  return {};
}

void LogPipe::close() {
  set_log_fd(STDERR_FILENO);
  forward();
}

pollfd LogPipe::wanted() const {
  return stuck_ ? pollfd{STDERR_FILENO, POLLOUT, 0} : pollfd{reading_.get(), POLLIN, 0};
}

void LogPipe::forward() {
  char buffer[kChunk];
  // Bytes that come meanwhile wait for the next call, so that a process that writes without a pause holds
  // nothing up.
  int left = 0;
  if (::ioctl(reading_.get(), FIONREAD, &left) != 0) return;
  do {
    pollfd room{STDERR_FILENO, POLLOUT, 0};
    stuck_ = ::poll(&room, 1, 0) == 0;
    if (stuck_) return;
    const ssize_t got = ::read(reading_.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    left -= static_cast<int>(got);
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(STDERR_FILENO, buffer + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno != EINTR) break;
      if (written > 0) done += written;
    }
  } while (left > 0);
}

}  // namespace sluice
