#include "base/process_setup.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>

#include "base/log.h"

namespace sluice {
namespace {

// The first version of sched_setattr(2)'s struct. The kernel's header cannot be included with the C
// library's.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};

// A thread waits for a processor for about a slice of the others, often 3 ms. A thread with shorter slices
// goes first.
constexpr std::uint64_t kShortSliceNs = 250'000;

}  // namespace

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
  // The kernel's table grows to the number that it has to give, and never shrinks (fcntl(2)).
  if (any) UniqueFd(::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(last)));
}

void ask_for_short_slices() {
  SchedulingAttributes attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime_ns = kShortSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void disable_malloc_fastbins() {
  ::mallopt(M_MXFAST, 0);
}

void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // All numbers below are open, so open(2) returns exactly this one.
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

void ignore_idle_signals() {
  for (const int signal :
       {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXFSZ})
    ::signal(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_IGN);
}

void hold_signal(int signal) {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, signal);
  sigprocmask(SIG_BLOCK, &held, nullptr);
}

Result<UniqueFd> open_signal_fd(std::initializer_list<int> signals) {
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

void reset_signals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void leave_memory_out_of_dumps() {
  constexpr std::string_view kHeadsOnly = "0x10";
  const UniqueFd filter(::open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC));
  if (!filter || ::write(filter.get(), kHeadsOnly.data(), kHeadsOnly.size()) < 0)
    log(LogLevel::warning, "a core dump of this worker would contain private keys: /proc cannot be written");
}

}  // namespace sluice
