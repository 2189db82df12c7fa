// Loaded into a server by LD_PRELOAD. It makes calls fail as long as the folder that SLUICE_TEST_FAULTS names
// has a link of the call's name. The link leads to the number of the error, and "worker" or "supervisor" if the
// call fails only there. The link "clock" has the seconds by which the time of day is wrong. Confined workers
// may read links everywhere, but no files.
#include <dlfcn.h>
#include <fcntl.h>
#include <libaio.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

constexpr std::size_t kTextMax = 64;

// By system calls alone, because libc's own functions may be the ones that fail.
bool read_text(const char* path, char* text) {
  const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (fd < 0) return false;
  const long got = syscall(SYS_read, fd, text, kTextMax - 1);
  syscall(SYS_close, fd);
  text[got < 0 ? 0 : got] = '\0';
  return got > 0;
}

char folder[256];  // empty for none

// Confined workers lose the variable.
[[gnu::constructor]] void learn_folder() {
  const char* path = std::getenv("SLUICE_TEST_FAULTS");
  if (path != nullptr) std::strncpy(folder, path, sizeof(folder) - 1);
}

bool read_fault(const char* call, char* text) {
  char path[512];
  std::snprintf(path, sizeof(path), "%s/%s", folder, call);
  const long got = syscall(SYS_readlinkat, AT_FDCWD, path, text, kTextMax - 1);
  text[got < 0 ? 0 : got] = '\0';
  return folder[0] != '\0' && got > 0;
}

bool is_worker() {
  char name[kTextMax];
  return read_text("/proc/self/comm", name) && std::string_view(name).substr(0, 13) == "sluice-worker";
}

// The error with which the call fails now, or 0.
int fault_of(const char* call) {
  const int before = errno;
  char text[kTextMax];
  char who[kTextMax] = "";
  int error = 0;
  if (read_fault(call, text)) std::sscanf(text, "%d %63s", &error, who);
  if (who[0] != '\0' && is_worker() != (std::string_view(who) == "worker")) error = 0;
  errno = before;
  return error;
}

bool fails(const char* call) {
  const int error = fault_of(call);
  if (error != 0) errno = error;
  return error != 0;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

EXPORTED int pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*), void* argument) {
  static auto* const create =
      real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  const int error = fault_of("pthread_create");
  return error != 0 ? error : create(thread, how, run, argument);
}

EXPORTED pid_t fork() noexcept {
  static auto* const real_fork = real<pid_t()>("fork");
  return fails("fork") ? -1 : real_fork();
}

EXPORTED int inotify_init1(int flags) noexcept {
  return fails("inotify_init1") ? -1 : static_cast<int>(syscall(SYS_inotify_init1, flags));
}

EXPORTED int inotify_add_watch(int fd, const char* path, std::uint32_t mask) noexcept {
  return fails("inotify_add_watch") ? -1 : static_cast<int>(syscall(SYS_inotify_add_watch, fd, path, mask));
}

EXPORTED int memfd_create(const char* name, unsigned flags) noexcept {
  return fails("memfd_create") ? -1 : static_cast<int>(syscall(SYS_memfd_create, name, flags));
}

// Of memory that processes share.
EXPORTED void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if ((flags & MAP_SHARED) != 0 && fails("mmap")) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}

EXPORTED int epoll_ctl(int epoll, int how, int fd, struct epoll_event* event) noexcept {
  return fails("epoll_ctl") ? -1 : static_cast<int>(syscall(SYS_epoll_ctl, epoll, how, fd, event));
}

// libaio returns its errors.
EXPORTED int io_setup(int events, io_context_t* context) {
  const int error = fault_of("io_setup");
  if (error != 0) return -error;
  const long made = syscall(SYS_io_setup, events, context);
  return made < 0 ? -errno : static_cast<int>(made);
}

EXPORTED int io_submit(io_context_t context, long count, iocb** controls) {
  const int error = fault_of("io_submit");
  if (error != 0) return -error;
  const long submitted = syscall(SYS_io_submit, context, count, controls);
  return submitted < 0 ? -errno : static_cast<int>(submitted);
}

EXPORTED int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int got = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  char text[kTextMax];
  const int before = errno;
  if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && read_fault("clock", text))
    time->tv_sec += std::atol(text);
  errno = before;
  return got;
}

EXPORTED time_t time(time_t* where) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (where != nullptr) *where = now.tv_sec;
  return now.tv_sec;
}
