#include "process/worker_process.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/core.h>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <utility>

#include "base/child_process.h"
#include "base/monotonic_clock.h"
#include "worker/confinement.h"

namespace sluice {
namespace {

// Taken from one worker in one turn. Other workers, and signals, come next.
constexpr int kMessagesMax = 32;
// What the kernel counts for messages that a worker has not read; each takes several hundred bytes of it.
constexpr int kUnreadMax = 16 * 1024;
// How many milliseconds a worker has to tell what its loop waits for. It has been held up for far longer then.
constexpr int kWaitLooksMax = 20;
// How often to look whether a worker is ending.
constexpr std::uint64_t kLookMs = 1'000;

// /proc/PID/status has "CoreDumping: 1" while the kernel writes a core, and no VmSize when it is freeing the
// memory (proc(5)).
bool is_ending(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  bool has_memory = !status;
  for (std::string line; std::getline(status, line);) {
    if (line == "CoreDumping:\t1") return true;
    has_memory = has_memory || line.starts_with("VmSize:");
  }
  return !has_memory;
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const Start& start, Leases leases, EventLoop& loop,
                                                            Owner& owner) {
  std::unique_ptr<WorkerProcess> process(new WorkerProcess(loop, owner));
  process->index_ = start.index;
  process->started_ms_ = monotonic_ms();
  process->leases_ = std::move(leases);
  if (start.plan->settings.confine != Confine::off)
    process->granted_ = permissions_text(permissions_of(*start.plan, start.group));
  auto stats = map_stats();
  if (!stats) return Unexpected(stats.error());
  process->stats_ = std::move(*stats);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return fail_errno("cannot make a socket pair for a worker", errno);
  }
  process->control_.reset(ends[0]);
  const UniqueFd worker_end(ends[1]);
  refuse_descriptors(process->control_.get());  // a worker out of control could hold up whoever closes them
  process->ask_wait_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!process->ask_wait_) return fail_errno("cannot make an eventfd for a worker", errno);
  if (!process->messages_.begin(loop, process->control_.get(), EPOLLIN, *process))
    return fail_errno("cannot watch the socket of a worker", errno);
  const pid_t supervisor = ::getpid();
  process->pid_ = ::fork();
  if (process->pid_ < 0) return fail_errno("cannot fork a worker", errno);
  if (process->pid_ == 0) {
    process->control_.reset();
    run_worker(start, *process->stats_, worker_end.get(), process->ask_wait_.get(), supervisor);
  }
  process->look_.at(monotonic_ms() + kLookMs);
  return process;
}

bool WorkerProcess::reads_messages() const {
  int unread = 0;
  return ::ioctl(control_.get(), SIOCOUTQ, &unread) == 0 && unread <= kUnreadMax;
}

void WorkerProcess::kill() {
  ends();
  ::kill(pid_, SIGKILL);
}

void WorkerProcess::ends() {
  if (std::exchange(ending_, true)) return;
  look_.at(monotonic_ms() + kGoneMs);
}

// Looks in /proc: if the first thread has ended while the kernel holds another one, nothing else tells.
void WorkerProcess::look_whether_it_ends() {
  if (ending_) return owner_.does_not_end(*this);
  look_.at(monotonic_ms() + kLookMs);
  if (is_ending(pid_)) ends();
}

void WorkerProcess::dismiss() {
  dismissed_ = true;
  kill();
}

void WorkerProcess::condemn(bool by_disk) {
  if (condemned_) return;  // a wait during its end is not the reason
  condemned_ = true;
  held_by_disk_ = by_disk;
}

void WorkerProcess::set_stopped(bool stopped) {
  stopped_ = stopped;
  if (!stopped) went_on_ns_ = monotonic_ns();
}

WaitKind WorkerProcess::wait_kind() const {
  if (const auto seen = sluice::wait_kind(pid_)) return *seen;
  const std::uint64_t before = stats_->wait_told.get();
  ::eventfd_write(ask_wait_.get(), 1);
  for (int look = 0; look < kWaitLooksMax; ++look) {
    const std::uint64_t told = stats_->wait_told.get();
    if (told != before)
      return told % 4 == static_cast<std::uint64_t>(WaitKind::disk) ? WaitKind::disk : WaitKind::sleep;
    ::poll(nullptr, 0, 1);
  }
  return WaitKind::sleep;
}

bool WorkerProcess::dying() const {
  return dismissed_ || stats_->fault.taken.load(std::memory_order_relaxed) != 0 || is_ending(pid_);
}

void WorkerProcess::on_events(std::uint32_t) {
  for (int i = 0; i < kMessagesMax; ++i) {
    WorkerMessage message;
    const Heard heard = receive_message(control_.get(), message);
    close_unwanted(std::move(message.fd));
    if (heard == Heard::gone) {  // a signal will report its end
      messages_.end();
      control_.reset();
      ends();
    }
    if (heard != Heard::message) return;
    if (message.kind == ControlMessage::ready) ready_ = true;
    owner_.heard(*this, message);
  }
}

std::optional<Culprit> WorkerProcess::culprit(int status, const ModuleSet& modules) const {
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  Culprit culprit;
  // A sanitizer, too, may have ended it after the handler. An odd count means that the handler itself failed.
  if (stats_->fault.taken.load(std::memory_order_acquire) != 0) {
    culprit = read_snapshot(*stats_, stats_->fault);
    if (culprit.module.empty()) name_by_frames(culprit, modules);
  } else {
    culprit = read_notes(*stats_);
    culprit.outside = signal == SIGKILL;  // a process that kills itself by SIGKILL cannot be told apart
    const bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGFPE ||
                          signal == SIGILL || condemned_;
    if (culprit.module.empty() && !is_fault) return std::nullopt;
    culprit.signal = signal;
  }
  if (condemned_) culprit.outside = held_by_disk_;  // else the module that held the loop up is at fault
  return culprit;
}

std::string WorkerProcess::ending(int status, const std::optional<Culprit>& culprit) const {
  if (culprit && condemned_) {
    return std::string("was ended, since it was held up for too long ") +
           (held_by_disk_ ? "by a disk that does not answer, which is no module's fault, " : "") +
           culprit->text();
  }
  // After a signal, a sanitizer or a module's own handler may end the process in any way.
  const int signal = culprit && culprit->signal != 0 ? culprit->signal
                     : WIFSIGNALED(status)           ? WTERMSIG(status)
                                                     : 0;
  std::string text = signal != 0 ? "was killed by " + signal_name(signal)
                                 : "ended with exit code " + std::to_string(WEXITSTATUS(status));
  if (!culprit) return text;
  if (culprit->sent_by > 0) text += fmt::format(", sent by process {},", culprit->sent_by);
  return text + (culprit->outside ? " from outside, while it was " : " ") + culprit->text();
}

}  // namespace sluice
