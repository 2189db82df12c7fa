#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "unique_fd.h"

namespace sluice {
namespace {

long long now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

[[noreturn]] void run_child(const std::function<std::string()>& task, int report) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::string text = task() + '\n';  // the last byte tells that nothing is missing
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(report, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  ::_exit(0);
}

// Reads to the end, or to the deadline.
std::string read_report(int fd, int timeout_ms, bool* timed_out) {
  const long long deadline = now_ms() + timeout_ms;
  std::string report;
  for (;;) {
    pollfd wanted{fd, POLLIN, 0};
    const long long left = deadline - now_ms();
    *timed_out = left <= 0;
    if (*timed_out) return report;
    if (::poll(&wanted, 1, static_cast<int>(left)) <= 0) continue;
    char buffer[4096];
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got == 0 || (got < 0 && errno != EINTR)) return report;
    if (got > 0) report.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

Result<std::string> run_in_child(const std::function<std::string()>& task, int timeout_ms) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork", errno);
  if (pid == 0) run_child(task, writing.get());
  writing.reset();
  bool timed_out = false;
  std::string report = read_report(reading.get(), timeout_ms, &timed_out);
  if (timed_out) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (timed_out) return fail("did not finish within " + std::to_string(timeout_ms / 1000) + " s");
  if (WIFSIGNALED(status)) return fail("crashed (" + signal_name(WTERMSIG(status)) + ")");
  if (report.empty() || report.back() != '\n') {
    return fail("ended with exit code " + std::to_string(WEXITSTATUS(status)));
  }
  report.pop_back();
  return report;
}

}  // namespace sluice
