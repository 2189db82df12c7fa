// Loaded before a server by LD_PRELOAD: makes opening files with "slow" in their path what it is on a disk that
// hangs. What asks for the kernel's cache only is told that it is not there, and every other open waits until
// the file that SLUICE_TEST_GATE names is gone.
#include <dlfcn.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kPolls = 30'000;
constexpr useconds_t kPollUs = 1'000;

void wait_at_gate() {
  const char* gate = std::getenv("SLUICE_TEST_GATE");
  for (int i = 0; gate != nullptr && i < kPolls && access(gate, F_OK) == 0; ++i) usleep(kPollUs);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) long syscall(long number, ...) noexcept {
  using Syscall = long (*)(long, ...);
  static const auto real = reinterpret_cast<Syscall>(dlsym(RTLD_NEXT, "syscall"));
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
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
