#include "process_setup.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

namespace sluice {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void reserve_descriptors(std::uint64_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto last = std::min<std::uint64_t>({count, limit.rlim_cur, INT_MAX}) - 1;
  const UniqueFd any(::eventfd(0, EFD_CLOEXEC));
  // The kernel's table grows to the number that it has to give, and stays as large (fcntl(2)).
  if (any) UniqueFd(::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(last)));
}

Result<UniqueFd> take_signals(std::initializer_list<int> signals) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : signals) sigaddset(&wanted, signal);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  UniqueFd fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("cannot watch signals", errno);
  return fd;
}

int next_signal(int fd) {
  signalfd_siginfo signal{};
  return ::read(fd, &signal, sizeof(signal)) == static_cast<ssize_t>(sizeof(signal))
             ? static_cast<int>(signal.ssi_signo)
             : 0;
}

}  // namespace sluice
