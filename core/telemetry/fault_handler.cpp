#include "telemetry/fault_handler.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>

#include "base/code_in_memory.h"

namespace sluice {
namespace {

static_assert(kLookSignal == SIGURG);

constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
// These end a process, too, unless a module or a profiler handles them.
constexpr int kUnexpected[] = {SIGTRAP, SIGSYS, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPOLL};
// The sender's PID reads as 0 because it is outside of this container's PID namespace.
constexpr std::int32_t kUnknownSender = -1;
constexpr std::size_t kStackSize = 64 * 1024;
// The handler's own frames come before the thread's.
constexpr int kPlacesMax = Snapshot::kFramesMax + 16;

std::atomic<WorkerStats*> worker_stats{nullptr};
std::atomic<bool> faulted{false};
// The worker's PID. A process that a module forks shares the memory, but its death is not the worker's.
pid_t owner = 0;
struct sigaction before[_NSIG];     // the actions before install_fault_handler
struct sigaction installed[_NSIG];  // the actions after it
// For threads that a module has started: they have no note.
constexpr unsigned kNoNote = ~0U;
thread_local unsigned noted_thread = kNoNote;

// Appends as much as fits. `text` stays terminated.
void append(char* text, std::size_t size, std::size_t& used, const char* from, std::size_t count) {
  for (std::size_t i = 0; i < count && used + 1 < size; ++i) text[used++] = from[i];
  text[used] = '\0';
}

void* interrupted_at(const void* context) {
  const auto* machine = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return reinterpret_cast<void*>(machine->uc_mcontext.gregs[REG_RIP]);
#else
  return reinterpret_cast<void*>(machine->uc_mcontext.pc);
#endif
}

// Finds the object that an address is in. Unlike dladdr(3), _dl_find_object takes no locks.
void locate(void* place, Snapshot::Frame& frame) {
  dl_find_object found{};
  frame.offset = reinterpret_cast<std::uintptr_t>(place);
  frame.object[0] = '\0';
  std::size_t used = 0;
  if (_dl_find_object(place, &found) != 0) {
    append(frame.object, sizeof(frame.object), used, "?", 1);
    return;
  }
  frame.offset -= found.dlfo_link_map->l_addr;
  const char* name = found.dlfo_link_map->l_name;
  const std::size_t copied = path_of_code(name, frame.object, sizeof(frame.object) - 1);
  frame.object[copied] = '\0';
  if (copied > 0) return;
  std::size_t size = 0;
  while (name[size] != '\0') ++size;
  append(frame.object, sizeof(frame.object), used, name, size);
}

void take_frames(Snapshot& snapshot, void* place) {
  void* places[kPlacesMax];
  const int size = ::backtrace(places, kPlacesMax);
  int first = 0;
  while (first < size && places[first] != place) ++first;
  snapshot.frames_size = 0;
  // After a jump to an address without code, backtrace has no frame for that address.
  if (first == size) {
    locate(place, snapshot.frames[snapshot.frames_size++]);
    first = 0;
  }
  for (int i = first; i < size && snapshot.frames_size < Snapshot::kFramesMax; ++i) {
    // All but the innermost are return addresses, which lie behind the call.
    auto* at = static_cast<char*>(places[i]) - (i == first ? 0 : 1);
    locate(at, snapshot.frames[snapshot.frames_size++]);
  }
}

void take_request(Snapshot& snapshot, const Request* request) {
  std::size_t used = 0;
  snapshot.request[0] = '\0';
  if (request == nullptr) return;
  const auto put = [&](Bytes bytes) {
    append(snapshot.request, sizeof(snapshot.request), used, bytes.data, bytes.size);
  };
  constexpr std::size_t kTargetMax = 400;
  put(Bytes(request->method_name.data, request->method_name.size));
  put(Bytes(" ", 1));
  put(Bytes(request->target.data, request->target.size < kTargetMax ? request->target.size : kTargetMax));
  put(request->version == 10 ? Bytes(" HTTP/1.0", 9) : Bytes(" HTTP/1.1", 9));
}

// `note` may be null. The frames come last, because unwinding an overwritten stack may end the process.
void take(Snapshot& snapshot, const CallNote* note, int signal, std::int32_t sent_by, void* place) {
  const std::uint32_t taken = snapshot.taken.load(std::memory_order_relaxed);
  snapshot.frames_size = 0;
  snapshot.taken.store(taken + 1, std::memory_order_release);
  snapshot.signal = signal;
  snapshot.sent_by = sent_by;
  snapshot.module_tag = note == nullptr ? 0 : note->module_tag.load(std::memory_order_relaxed);
  take_request(snapshot, note == nullptr ? nullptr : note->request.load(std::memory_order_relaxed));
  take_frames(snapshot, place);
  snapshot.taken.store(taken + 2, std::memory_order_release);
}

std::int32_t sender_of(const siginfo_t& info) {
  const bool was_sent = info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL;
  if (!was_sent || info.si_pid == owner) return 0;
  return info.si_pid == 0 ? kUnknownSender : info.si_pid;
}

// Whether the signal comes again when the handler returns: the processor repeats the instruction that failed.
bool comes_again(int signal, const siginfo_t& info) {
  const bool by_processor = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
  return by_processor && info.si_code > 0;
}

// A thread without a note that gets a signal for the whole process stands for the loop.
const CallNote* note_of(const WorkerStats& stats, const siginfo_t& info) {
  if (noted_thread != kNoNote) return &stats.notes[noted_thread];
  const bool is_its_own = info.si_code > 0 || info.si_code == SI_TKILL;
  return is_its_own ? nullptr : &stats.notes[0];
}

void on_fatal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  WorkerStats& stats = *worker_stats.load(std::memory_order_relaxed);
  if (::getpid() == owner && !faulted.exchange(true))
    take(stats.fault, note_of(stats, *info), signal, sender_of(*info), interrupted_at(context));
  ::sigaction(signal, &before[signal], nullptr);
  if (!comes_again(signal, *info)) ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
  errno = saved_errno;
}

void on_look(int signal, siginfo_t*, void* context) {
  const int saved_errno = errno;
  WorkerStats& stats = *worker_stats.load(std::memory_order_relaxed);
  if (noted_thread == 0 && ::getpid() == owner)
    take(stats.held, &stats.notes[0], signal, 0, interrupted_at(context));
  errno = saved_errno;
}

// A module has called exit(3), which the server never does. Ends the process at once, because the remaining
// exit handlers would destroy objects that other threads still use.
void on_exit_called(int status, void*) {
  if (::getpid() != owner) return;
  WorkerStats& stats = *worker_stats.load(std::memory_order_relaxed);
  const CallNote* note = noted_thread == kNoNote ? nullptr : &stats.notes[noted_thread];
  if (!faulted.exchange(true)) take(stats.fault, note, 0, 0, __builtin_return_address(0));
  ::_exit(status);
}

}  // namespace

void install_fault_handler(WorkerStats& stats) {
  worker_stats = &stats;
  owner = ::getpid();
  ::on_exit(on_exit_called, nullptr);
  void* place = nullptr;
  ::backtrace(&place, 1);  // the first call loads libgcc, which a handler must not do
  struct sigaction action {};
  sigfillset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = on_fatal;
  for (const int signal : kFatal) ::sigaction(signal, &action, &before[signal]);
  for (const int signal : kUnexpected) {
    ::sigaction(signal, nullptr, &before[signal]);
    // Another action than the default belongs to a profiler, and stays.
    if (before[signal].sa_handler == SIG_DFL) ::sigaction(signal, &action, nullptr);
  }
  action.sa_flags |= SA_RESTART;
  action.sa_sigaction = on_look;
  ::sigaction(kLookSignal, &action, nullptr);
  for (int signal = 1; signal < _NSIG; ++signal) ::sigaction(signal, nullptr, &installed[signal]);
}

void restore_signal(int signal) {
  ::sigaction(signal, &installed[signal], nullptr);
}

void end_by_fault(WorkerStats& stats, std::uint64_t tag) {
  if (!faulted.exchange(true)) {
    stats.fault.module_tag = tag;
    stats.fault.taken.store(2, std::memory_order_release);
  }
  ::_exit(1);
}

FaultStack::FaultStack(unsigned thread) {
  noted_thread = thread;
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  stack_ = std::make_unique<char[]>(kStackSize);
  const stack_t own{stack_.get(), 0, kStackSize};
  ::sigaltstack(&own, nullptr);
}

FaultStack::~FaultStack() {
  if (stack_ == nullptr) return;
  const stack_t none{nullptr, SS_DISABLE, 0};
  ::sigaltstack(&none, nullptr);
}

}  // namespace sluice
