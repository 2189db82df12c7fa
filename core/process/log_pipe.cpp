#include "process/log_pipe.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
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
  own_.reset(
      ::open(fmt::format("/proc/self/fd/{}", ends[1]).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  // A regular file always has room, and epoll_ctl(2) does not take it.
  if (!lines_.begin(loop_, reading_.get(), EPOLLIN, *this) ||
      (!room_.begin(loop_, STDERR_FILENO, EPOLLONESHOT, *this) && errno != EPERM))
    return fail_errno("cannot watch the pipe for the log", errno);
  set_log_fd(own_ ? own_.get() : writing_.get());
  return {};
}

void LogPipe::close_reading() {
  reading_.reset();
  if (!own_) return;
  set_log_fd(writing_.get());
  own_.reset();
}

void LogPipe::close() {
  set_log_fd(STDERR_FILENO);
  forward();
}

// Whether stderr takes a piece. If so, the loop waits for lines, and else for room.
bool LogPipe::find_room() {
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  const bool takes = ::poll(&room, 1, 0) != 0;
  lines_.change(takes ? EPOLLIN : 0U);
  if (!takes) room_.change(EPOLLOUT | EPOLLONESHOT);
  return takes;
}

void LogPipe::forward() {
  char buffer[kChunk];
  // Bytes that come meanwhile wait for the next call, so that a process that writes without a pause holds
  // nothing up.
  int left = 0;
  if (::ioctl(reading_.get(), FIONREAD, &left) != 0) return;
  do {
    if (!find_room()) return;
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
