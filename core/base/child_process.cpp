#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/monotonic_clock.h"

namespace sluice {
namespace {

constexpr std::size_t kReportMax = 4 * 1024 * 1024;
// The time between two looks at whether a child has ended.
constexpr int kEndMs = 5;
// How long to wait for the end of a killed child.
constexpr std::uint64_t kKilledMs = 1'000;

int report_of_this_process = -1;

[[noreturn]] void run_child(const std::function<std::string()>& task, int report, pid_t parent) {
  report_of_this_process = report;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // the parent ended before the signal was asked for
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGPIPE}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::string text = task() + '\n';  // the last byte shows that the report is complete
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(report, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  ::_exit(0);
}

}  // namespace

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

Result<std::unique_ptr<Child>> Child::start(const std::function<std::string()>& task) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork", errno);
  if (pid == 0) {
    reading.reset();
    run_child(task, writing.get(), parent);
  }
  return std::unique_ptr<Child>(new Child(pid, std::move(reading)));
}

int Child::own_report_fd() {
  return report_of_this_process;
}

Child::~Child() {
  if (!reaped_) kill();
}

void Child::kill() const {
  ::kill(pid_, SIGKILL);
}

void Child::end(std::uint64_t until_ms) {
  kill();
  reaped_ = reap_until(pid_, until_ms).has_value();
}

bool Child::hear() {
  char buffer[4096];
  const ssize_t got = ::read(report_fd_.get(), buffer, sizeof(buffer));
  if (got > 0) report_.append(buffer, static_cast<std::size_t>(got));
  ended_ = got == 0 || (got < 0 && errno != EINTR) || report_.size() > kReportMax;
  return !ended_;
}

Result<std::string> Child::result(int status) {
  reaped_ = true;
  // Reads the rest of the pipe. A grandchild may hold the pipe open and go on writing, so the length is
  // limited.
  for (pollfd wanted{report_fd_.get(), POLLIN, 0}; !ended_ && ::poll(&wanted, 1, 0) > 0 && hear();) {
  }
  if (WIFSIGNALED(status)) return fail("crashed (" + signal_name(WTERMSIG(status)) + ")");
  if (report_.size() > kReportMax) return fail("reported more than it should");
  if (report_.empty() || report_.back() != '\n') {
    return fail("ended with exit code " + std::to_string(WEXITSTATUS(status)));
  }
  report_.pop_back();
  return std::move(report_);
}

Result<std::string> run_in_child(const std::function<std::string()>& task, int timeout_ms) {
  auto child = Child::start(task);
  if (!child) return Unexpected(child.error());
  return wait_for(**child, timeout_ms);
}

Result<std::string> wait_for(Child& child, int timeout_ms) {
  const std::uint64_t until_ms = monotonic_ms() + static_cast<std::uint64_t>(timeout_ms);
  const auto left_ms = [&] {
    const std::uint64_t now_ms = monotonic_ms();
    return now_ms >= until_ms ? 0 : static_cast<int>(until_ms - now_ms);
  };
  for (int wait_ms = 0; child.reports() && (wait_ms = left_ms()) > 0;) {
    pollfd wanted{child.fd(), POLLIN, 0};
    if (::poll(&wanted, 1, wait_ms) > 0) child.hear();
  }
  // The child may go on after the end of its report.
  auto status = reap_until(child.pid(), until_ms);
  const bool in_time = status.has_value();
  if (!in_time) {
    ::kill(child.pid(), SIGKILL);
    status = reap_until(child.pid(), monotonic_ms() + kKilledMs);
  }
  const std::string late = "did not finish within " + std::to_string(timeout_ms / 1000) + " s";
  if (!status) return fail(late + ", and cannot be killed: it waits for a disk that does not answer");
  auto result = child.result(*status);
  if (!in_time) return fail(late);
  return result;
}

std::optional<int> reap_until(pid_t pid, std::uint64_t until_ms) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended > 0 || (ended < 0 && errno != EINTR)) return status;
    const std::uint64_t now_ms = monotonic_ms();
    if (now_ms >= until_ms) return std::nullopt;
    ::poll(nullptr, 0, static_cast<int>(std::min<std::uint64_t>(until_ms - now_ms, kEndMs)));
  }
}

}  // namespace sluice
