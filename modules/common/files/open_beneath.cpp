#include "common/files/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>

#include "common/files/local_disks.h"
#include "common/files/walk_beneath.h"

namespace sluice::files {
namespace {

// openat2 says EAGAIN without RESOLVE_CACHED when a rename raced with "..", or a lease is broken. Neither
// lasts.
constexpr useconds_t kRetryUs = 1000;

int openat2_retrying(int folder, const char* path, open_how& how) {
  long fd;
  do {
    fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
  } while (fd < 0 && errno == EINTR);
  return static_cast<int>(fd);
}

std::atomic<bool> openat2_refused{false};  // it stays so: a filter of system calls is never taken off

// Filters of system calls answer ENOSYS or EPERM to calls they do not know; the kernel would say EINVAL here.
bool is_refusal(int error) {
  if (error != ENOSYS && error != EPERM) return false;
  const bool refused = syscall(SYS_openat2, -1, "", nullptr, 0) < 0 && errno != EINVAL;
  if (refused) openat2_refused = true;
  return refused;
}

Opened walk(int flags, int folder, const char* path, Resolve resolve, Links links) {
  if (resolve == Resolve::cached_only) return {OwnedFd(), EAGAIN};
  return walk_beneath(folder, path, links, flags);
}

Opened open_with(int flags, int folder, const char* path, Resolve resolve, Links links) {
  if (openat2_refused.load(std::memory_order_relaxed)) return walk(flags, folder, path, resolve, links);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refused) how.resolve |= RESOLVE_NO_SYMLINKS;
  if (resolve == Resolve::cached_only) {
    how.resolve |= RESOLVE_CACHED;
    const int fd = openat2_retrying(folder, path, how);
    if (fd >= 0) return {OwnedFd(fd), 0};
    const int error = errno;
    // Before Linux 5.12 RESOLVE_CACHED is an invalid flag, so a thread does every open.
    const bool for_thread =
        error == EINVAL || (error == EXDEV && links == Links::followed) || is_refusal(error);
    return {OwnedFd(), for_thread ? EAGAIN : error};
  }
  for (int tries = 1;; ++tries) {
    const int fd = openat2_retrying(folder, path, how);
    if (fd >= 0) return {OwnedFd(fd), 0};
    const int error = errno;
    // A link led out of the folder. It may lead back in, which the walk finds out.
    if ((error == EXDEV && links == Links::followed) || is_refusal(error))
      return walk(flags, folder, path, resolve, links);
    if (error != EAGAIN || tries == kTriesMax) return {OwnedFd(), error};
    usleep(kRetryUs);
  }
}

}  // namespace

int look_beneath(int folder, const char* path, Resolve resolve, Links links, FileFacts& facts,
                 int extra_flags) {
  const Opened found = open_with(O_PATH | extra_flags, folder, path, resolve, links);
  if (found.error != 0) return found.error;
  if (resolve == Resolve::cached_only && !is_known_to_be_local(found.fd.get())) return EAGAIN;
  return read_facts(found.fd.get(), facts);
}

Opened open_beneath(int folder, const char* path, Resolve resolve, Links links, int extra_flags) {
  FileFacts facts;
  const int error = look_beneath(folder, path, resolve, links, facts);
  if (error != 0) return {OwnedFd(), error};
  if (!facts.is_regular() && !facts.is_folder()) return {OwnedFd(), ENXIO};
  // O_NONBLOCK: something else, such as a FIFO, may have taken the file's place meanwhile.
  constexpr int kNeverWaiting = O_NONBLOCK | O_NOCTTY;
  Opened opened = open_with(O_RDONLY | kNeverWaiting | extra_flags, folder, path, resolve, links);
  if (opened.error != 0) return opened;
  opened.local = resolve == Resolve::cached_only || find_out_whether_local(opened.fd.get());
  opened.error =
      read_facts(opened.fd.get(), opened.facts);  // another file may have taken its place after the look
  return opened;
}

std::string real_path(int fd) {
  char path[PATH_MAX];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof(path));
  return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

std::uint32_t status_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:  // the path leads out of the folder
    case ENAMETOOLONG:
    case ENXIO:  // neither a file nor a folder
    case ENODEV:
      return 404;
    case EACCES:
    case EPERM:
      return 403;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
      return 503;
    default:
      return 500;
  }
}

}  // namespace sluice::files
