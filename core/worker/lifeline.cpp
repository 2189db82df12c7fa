#include "worker/lifeline.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/monotonic_clock.h"

namespace sluice {
namespace {

constexpr int kLookMs = 50;
constexpr std::uint64_t kMs = 1'000'000;

}  // namespace

Result<std::unique_ptr<Lifeline>> Lifeline::start(const WorkerStats& stats, int control,
                                                  std::uint64_t limit_ms) {
  std::unique_ptr<Lifeline> lifeline(new Lifeline(stats, limit_ms));
  lifeline->control_.reset(::fcntl(control, F_DUPFD_CLOEXEC, 0));
  lifeline->stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!lifeline->control_ || !lifeline->stop_) return fail_errno("a worker cannot watch its supervisor", errno);
  // This thread handles no signals of the process.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error_number = 0;
  try {
    lifeline->thread_ = std::thread([raw = lifeline.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    error_number = error.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error_number != 0) return fail_errno("a worker cannot start a thread", error_number);
  return lifeline;
}

Lifeline::~Lifeline() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

bool Lifeline::wait(int fd, int wait_ms) const {
  // poll(2) reports the end of the other side without being asked for it.
  pollfd wanted[] = {{stop_.get(), POLLIN, 0}, {fd, 0, 0}};
  while (::poll(wanted, 2, wait_ms) < 0 && errno == EINTR) {
  }
  // A descriptor that was closed never reports an end.
  return wanted[0].revents == 0 && (wanted[1].revents & POLLNVAL) == 0;
}

void Lifeline::run() const {
  if (!wait(control_.get(), -1)) return;
  const std::uint64_t ended_ns = monotonic_ns();
  while (wait(-1, kLookMs)) {
    const std::uint64_t now_ns = monotonic_ns();
    const std::uint64_t turn_began_ns = stats_.turn_began_ns.get();
    const bool held_up = turn_began_ns != 0 && now_ns - std::max(turn_began_ns, ended_ns) >= kTurnMs * kMs;
    if (held_up || now_ns - ended_ns >= limit_ms_ * kMs) ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace sluice
