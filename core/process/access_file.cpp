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
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "settings/site_settings.h"

namespace sluice {
namespace {

constexpr std::size_t kWrittenAtOnce = 64 * 1024;
// Between two lines about a disk that takes nothing.
constexpr std::uint64_t kLostEveryMs = 10'000;
// Lines that a slow reader has not taken yet.
constexpr std::size_t kWaitingMax = 1024 * 1024;
constexpr mode_t kMode = 0640;

}  // namespace

AccessFile::AccessFile(std::string path) : path_(std::move(path)) {
  open();
}

AccessFile::~AccessFile() {
  flush();
  if (!lines_.empty()) drop_all(EAGAIN);
  if (lost_ > 0) tell_lost();
}

bool AccessFile::is_stdout() const {
  return path_ == kStdout;
}

void AccessFile::open() {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
  UniqueFd opened;
  if (is_stdout()) {
    struct stat status {};
    may_wait_ = ::fstat(STDOUT_FILENO, &status) == 0 && !S_ISREG(status.st_mode);
    opened.reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  } else {
    opened.reset(::open(path_.c_str(), kFlags, kMode));
  }
  const int error = errno;
  if (opened) {
    file_ = std::move(opened);
    in_line_ = false;
    return;
  }
  const std::string why = error == ELOOP ? "it is a symbolic link; name the file itself" : std::strerror(error);
  log(LogLevel::error, fmt::format("the access log {} cannot be opened: {}. {}", path_, why,
                                   file_ ? "The former file goes on."
                                         : "Its lines are dropped until USR1 is sent to the server."));
}

// A line that was cut gets an end before the next one.
std::string* AccessFile::collect() {
  if (!file_) return nullptr;
  if (lines_.size() >= kWrittenAtOnce) flush();
  if (lines_.empty() && in_line_) lines_ += '\n';
  return &lines_;
}

void AccessFile::drop_all(int error) {
  lost_ += static_cast<std::uint64_t>(std::count(lines_.begin(), lines_.end(), '\n'));
  lost_error_ = error;
  lines_.clear();
}

void AccessFile::tell_lost() {
  log(LogLevel::error,
      fmt::format("the access log {} lost lines ({}): {}", path_, lost_, std::strerror(lost_error_)));
  lost_ = 0;
  tell_lost_ms_ = monotonic_ms() + kLostEveryMs;
}

void AccessFile::flush() {
  std::size_t done = 0;
  int error = 0;
  while (done < lines_.size() && error == 0) {
    pollfd room{file_.get(), POLLOUT, 0};
    if (may_wait_ && ::poll(&room, 1, 0) == 0) break;
    // A pipe that poll(2) reports as writable takes this much without blocking.
    const std::size_t most = may_wait_ ? std::size_t{PIPE_BUF} : lines_.size();
    const ssize_t written = ::write(file_.get(), lines_.data() + done, std::min(lines_.size() - done, most));
    if (written > 0) {
      done += static_cast<std::size_t>(written);
      in_line_ = lines_[done - 1] != '\n';
    } else if (written == 0) {
      error = EIO;
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  lines_.erase(0, done);
  if (lines_.size() > kWaitingMax) error = EAGAIN;
  if (error != 0 && !lines_.empty()) drop_all(error);
  if (lost_ > 0 && monotonic_ms() >= tell_lost_ms_) tell_lost();
}

}  // namespace sluice
