#include "worker/wait_kind.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <climits>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace sluice {
namespace {

// Calls that name a path, and close(2), whose descriptor is gone by then. When they sleep, they wait for a file
// system.
constexpr long kOfPaths[] = {
    SYS_openat,   SYS_openat2,    SYS_newfstatat, SYS_statx,     SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
    SYS_unlinkat, SYS_mkdirat,    SYS_linkat,     SYS_renameat2, SYS_symlinkat, SYS_utimensat,  SYS_truncate,
    SYS_statfs,   SYS_getdents64, SYS_execve,     SYS_close,
#if defined(__x86_64__)
    SYS_open,     SYS_creat,      SYS_stat,       SYS_lstat,     SYS_access,    SYS_readlink,   SYS_unlink,
    SYS_mkdir,    SYS_rmdir,      SYS_link,       SYS_rename,    SYS_symlink,   SYS_getdents,
#endif
};
// Calls whose first argument is a descriptor, of a file or of something else.
constexpr long kOfDescriptors[] = {
    SYS_read,      SYS_pread64,   SYS_readv,     SYS_preadv,    SYS_preadv2,         SYS_write, SYS_pwrite64,
    SYS_writev,    SYS_pwritev,   SYS_pwritev2,  SYS_fstat,     SYS_fstatfs,         SYS_fsync, SYS_fdatasync,
    SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead, SYS_copy_file_range,
};

template <std::size_t kSize>
bool is_one_of(const long (&calls)[kSize], long number) {
  return std::find(std::begin(calls), std::end(calls), number) != std::end(calls);
}

// The state's letter of proc(5), or a blank.
char state_of(const std::string& folder) {
  std::ifstream file(folder + "stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(") ");  // the name may contain anything
  return name_end == std::string::npos || name_end + 2 >= text.size() ? ' ' : text[name_end + 2];
}

// Descriptors that are not files have links such as "socket:[4711]".
bool is_file(const std::string& folder, unsigned long fd) {
  char path[PATH_MAX];
  const std::string link = folder + "fd/" + std::to_string(fd);
  return ::readlink(link.c_str(), path, sizeof(path)) > 0 && path[0] == '/';
}

// FIFOs and terminals have paths, but no disk. The function that the kernel sleeps in tells them apart.
bool waits_in_pipe_or_terminal(const std::string& folder) {
  std::string place;
  std::ifstream(folder + "wchan") >> place;
  return place.find("pipe") != std::string::npos || place.find("fifo") != std::string::npos ||
         place == "wait_for_partner" || place.find("tty") != std::string::npos;
}

// A process that waits for its child of vfork(2) cannot be woken by a signal, either.
bool makes_a_process(long number) {
#if defined(__x86_64__)
  if (number == SYS_vfork) return true;
#endif
  return number == SYS_clone || number == SYS_clone3;
}

// The kind of a wait in that state and system call, which is empty if /proc does not tell it.
WaitKind kind_of(const std::string& folder, char state, const std::string& call) {
  std::istringstream text(call);
  long number = -1;
  unsigned long first = 0;
  unsigned long second = 0;
  const bool told = static_cast<bool>(text >> number);
  text >> std::hex >> first >> second;
  if (state == 'D') return makes_a_process(number) ? WaitKind::sleep : WaitKind::disk;
  if (!told) return WaitKind::sleep;
  const bool of_file = is_one_of(kOfPaths, number) ||
                       (is_one_of(kOfDescriptors, number) && is_file(folder, first)) ||
                       (number == SYS_sendfile && is_file(folder, second));
  return of_file && !waits_in_pipe_or_terminal(folder) ? WaitKind::disk : WaitKind::sleep;
}

bool is_asleep(char state) {
  return state == 'S' || state == 'D';
}

std::string read_call(int fd) {
  char text[256];
  const ssize_t size = ::pread(fd, text, sizeof(text), 0);
  return {text, size < 0 ? 0 : static_cast<std::size_t>(size)};
}

}  // namespace

std::optional<WaitKind> wait_kind(pid_t worker) {
  const std::string folder = fmt::format("/proc/{}/", worker);
  const char state = state_of(folder);
  if (!is_asleep(state)) return WaitKind::none;
  const UniqueFd file(::open((folder + "syscall").c_str(), O_RDONLY | O_CLOEXEC));
  const std::string call = read_call(file.get());
  if (call.empty() && state == 'S') return std::nullopt;
  return kind_of(folder, state, call);
}

OwnWait::OwnWait() : call_(::open("/proc/self/syscall", O_RDONLY | O_CLOEXEC)) {}

WaitKind OwnWait::kind() const {
  const std::string folder = "/proc/self/";
  const char state = state_of(folder);
  return is_asleep(state) ? kind_of(folder, state, read_call(call_.get())) : WaitKind::none;
}

}  // namespace sluice
