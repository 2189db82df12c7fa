// Loaded into a server by LD_PRELOAD. It makes files behave as on a disk that hangs, until the file that
// SLUICE_TEST_GATE names is gone. Files with "slow" in their path cannot be opened without waiting: an open
// from the kernel's cache alone fails, and so does copying. Files with "cold" in it cannot be read: none of
// their pages is in memory, and starting to read waits.
#include <dlfcn.h>
#include <libaio.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kPolls = 30'000;
constexpr useconds_t kPollUs = 1'000;
constexpr long kCachestatNumber = 451;
constexpr std::size_t kCachestatSize = 40;

char gate[4096];  // empty for none

// Confined workers lose the variable.
[[gnu::constructor]] void learn_gate() {
  const char* path = std::getenv("SLUICE_TEST_GATE");
  if (path != nullptr) std::strncpy(gate, path, sizeof(gate) - 1);
}

bool gate_is_closed() {
  return gate[0] != '\0' && access(gate, F_OK) == 0;
}

void wait_at_gate() {
  for (int i = 0; i < kPolls && gate_is_closed(); ++i) usleep(kPollUs);
}

bool is_called(int fd, std::string_view part) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  return size > 0 && std::string_view(path, static_cast<std::size_t>(size)).find(part) != std::string::npos;
}

bool is_cold(int fd) {
  return is_called(fd, "cold");
}

// The real function. A constant at first, since the guard of a static variable would itself call syscall.
template <typename Function>
class Real {
 public:
  constexpr explicit Real(const char* name) : name_(name) {}
  Function* get() {
    Function* found = function_.load(std::memory_order_acquire);
    if (found == nullptr) found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
    function_.store(found, std::memory_order_release);
    return found;
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

}  // namespace

EXPORTED long syscall(long number, ...) noexcept {
  static constinit Real<long(long, ...)> real("syscall");
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (long& argument : a) argument = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_openat2 && std::strstr(reinterpret_cast<const char*>(a[1]), "slow") != nullptr) {
    if ((reinterpret_cast<const open_how*>(a[2])->resolve & RESOLVE_CACHED) != 0) {
      errno = EAGAIN;
      return -1;
    }
    wait_at_gate();
  }
  if (number == kCachestatNumber && is_cold(static_cast<int>(a[0])) && gate_is_closed()) {
    std::memset(reinterpret_cast<void*>(a[2]), 0, kCachestatSize);
    return 0;
  }
  return real.get()(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

EXPORTED ssize_t preadv2(int fd, const iovec* pieces, int count, off_t offset, int flags) {
  static constinit Real<ssize_t(int, const iovec*, int, off_t, int)> real("preadv2");
  const bool cold = is_cold(fd);
  if (cold && pieces->iov_base == nullptr) wait_at_gate();  // it starts reading, and copies nothing
  if (cold && gate_is_closed()) {
    errno = EAGAIN;
    return -1;
  }
  return real.get()(fd, pieces, count, offset, flags);
}

EXPORTED ssize_t sendfile(int to, int from, off_t* offset, std::size_t count) noexcept {
  static constinit Real<ssize_t(int, int, off_t*, std::size_t)> real("sendfile");
  if (is_called(from, "slow")) wait_at_gate();
  return real.get()(to, from, offset, count);
}

// libaio's own function is out of reach, since only the module has loaded it.
EXPORTED int io_submit(io_context_t context, long count, iocb** controls) {
  if (count > 0 && is_cold(controls[0]->aio_fildes)) wait_at_gate();
  const long submitted = syscall(SYS_io_submit, context, count, controls);
  return submitted < 0 ? -errno : static_cast<int>(submitted);
}
