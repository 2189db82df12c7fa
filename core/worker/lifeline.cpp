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

Result<std::unique_ptr<Lifeline>> Lifeline::start(WorkerStats& stats, int control, std::uint64_t limit_ms,
                                                  int asked, OwnWait own_wait) {
  std::unique_ptr<Lifeline> lifeline(new Lifeline(stats, limit_ms, asked, std::move(own_wait)));
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

bool Lifeline::wait(int fd, int wait_ms) {
  // poll(2) reports the end of the other side without being asked for it.
  pollfd wanted[] = {{stop_.get(), POLLIN, 0}, {fd, 0, 0}, {asked_, POLLIN, 0}};
  for (int ready = -1; ready < 0 || (wanted[0].revents | wanted[1].revents) == 0;) {
    ready = ::poll(wanted, 3, wait_ms);
    if (ready == 0 || (ready < 0 && errno != EINTR)) break;
    if (ready > 0 && wanted[2].revents != 0) tell();
    wanted[2].fd = asked_;
  }
  // A descriptor that was closed never reports an end.
  return wanted[0].revents == 0 && (wanted[1].revents & POLLNVAL) == 0;
}

void Lifeline::tell() {
  eventfd_t count = 0;
  if (::eventfd_read(asked_, &count) != 0) {
    asked_ = -1;  // a module has closed it
    return;
  }
  stats_.wait_told.set(4 * ++told_ + static_cast<std::uint64_t>(own_wait_.kind()));
}

void Lifeline::run() {
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
