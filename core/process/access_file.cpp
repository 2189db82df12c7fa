#include "process/access_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/log.h"
#include "settings/site_settings.h"

namespace sluice {
namespace {

constexpr std::size_t kWrittenAtOnce = 64 * 1024;
// Lines that a slow reader has not taken yet.
constexpr std::size_t kWaitingMax = 1024 * 1024;
constexpr mode_t kMode = 0640;

}  // namespace

AccessFile::AccessFile(std::string path) : path_(std::move(path)) {
  open();
}

bool AccessFile::is_stdout() const {
  return path_ == kStdout;
}

void AccessFile::open() {
  if (is_stdout()) {
    struct stat status {};
    may_wait_ = ::fstat(STDOUT_FILENO, &status) == 0 && !S_ISREG(status.st_mode);
    file_.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  } else {
    file_.reset(
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, kMode));
  }
  if (file_) return;
  log(LogLevel::error,
      fmt::format("the access log {} cannot be opened: {}; its lines are dropped until it can be, and "
                  "USR1 is sent",
                  path_, std::strerror(errno)));
}

void AccessFile::add(std::string_view line) {
  if (!file_) return;
  lines_ += line;
  if (lines_.size() >= kWrittenAtOnce) flush();
}

void AccessFile::drop_all(int error) {
  const auto lines = std::count(lines_.begin(), lines_.end(), '\n');
  lines_.clear();
  log(LogLevel::error, fmt::format("the access log {} lost {} lines: {}", path_, lines, std::strerror(error)));
}

void AccessFile::flush() {
  std::size_t done = 0;
  while (done < lines_.size()) {
    pollfd room{file_.get(), POLLOUT, 0};
    if (may_wait_ && ::poll(&room, 1, 0) == 0) break;
    // A pipe that poll(2) reports as writable takes this much without blocking.
    const std::size_t size = std::min(lines_.size() - done, may_wait_ ? std::size_t{PIPE_BUF} : lines_.size());
    const ssize_t written = ::write(file_.get(), lines_.data() + done, size);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      const int error = errno;
      lines_.erase(0, done);
      return drop_all(error);
    }
  }
  lines_.erase(0, done);
  if (lines_.size() > kWaitingMax) drop_all(EAGAIN);
}

}  // namespace sluice
