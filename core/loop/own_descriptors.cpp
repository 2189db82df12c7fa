#include "loop/own_descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>

namespace sluice {
namespace {

struct LocalAddress {
  sockaddr_storage address{};
  socklen_t length = 0;

  // Empty if it is not a socket.
  static LocalAddress of(int fd) {
    LocalAddress local;
    local.length = sizeof(local.address);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local.address), &local.length) != 0) local.length = 0;
    return local;
  }
  std::uint16_t port() const {
    if (address.ss_family == AF_INET) return reinterpret_cast<const sockaddr_in&>(address).sin_port;
    if (address.ss_family == AF_INET6) return reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
    return 0;
  }
  // An accepted socket has the port or path of its listening socket. Its address may be more specific.
  bool came_in_by(const LocalAddress& listening) const {
    if (length == 0 || listening.length == 0 || address.ss_family != listening.address.ss_family) return false;
    if (address.ss_family != AF_UNIX) return port() != 0 && port() == listening.port();
    constexpr socklen_t kUnnamed = offsetof(sockaddr_un, sun_path);
    return length > kUnnamed && length == listening.length &&
           std::memcmp(&address, &listening.address, length) == 0;
  }
};

bool listens(int fd) {
  int on = 0;
  socklen_t size = sizeof(on);
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) != 0 || on == 0) return false;
  // A Unix socket that was shut down says that it listens.
  pollfd events{fd, 0, 0};
  return ::poll(&events, 1, 0) <= 0 || (events.revents & POLLHUP) == 0;
}

// Where /proc may not be read: the kernel lets a confined worker read its own folder there, and a process that
// it forks has another one.
template <typename Do>
void try_each_descriptor(Do&& act) {
  constexpr int kBatch = 256;
  constexpr rlim_t kNumbersMax = 1U << 20U;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = static_cast<int>(std::min(limit.rlim_cur, kNumbersMax));
  for (int from = 0; from < end; from += kBatch) {
    const int count = std::min(kBatch, end - from);
    pollfd batch[kBatch];
    for (int i = 0; i < count; ++i) batch[i] = {from + i, 0, 0};
    while (::poll(batch, static_cast<nfds_t>(count), 0) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < count; ++i) {
      if ((batch[i].revents & POLLNVAL) == 0) act(from + i);
    }
  }
}

// Allocates nothing: after a fork by one of several threads the heap may be locked.
template <typename Do>
void for_each_descriptor(Do&& act) {
  struct Entry {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[1];
  };
  const int folder = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return try_each_descriptor(act);
  alignas(Entry) char buffer[4096];
  for (long got = 0; (got = ::syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0;) {
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->size;
      int fd = 0;
      for (const char* digit = entry->name; *digit >= '0' && *digit <= '9'; ++digit)
        fd = 10 * fd + *digit - '0';
      if (entry->name[0] != '.' && fd != folder) act(fd);
    }
  }
  ::close(folder);
}

}  // namespace

void OwnDescriptors::add(int fd, const char* what) {
  struct stat status {};
  const auto free =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.fd < 0; });
  if (free == entries_.end() || ::fstat(fd, &status) != 0) return;
  free->what = what;
  free->listens = false;
  free->device = status.st_dev;
  free->inode = status.st_ino;
  free->fd = fd;
}

void OwnDescriptors::remove(int fd) {
  for (Entry& entry : entries_) {
    if (entry.fd == fd) entry.fd = -1;
  }
}

void OwnDescriptors::expect_to_listen(int fd) {
  for (Entry& entry : entries_) {
    if (entry.fd == fd) entry.listens = true;
  }
}

std::string OwnDescriptors::trouble() const {
  for (const Entry& entry : entries_) {
    struct stat status {};
    if (entry.fd < 0) continue;
    const bool closed = ::fstat(entry.fd, &status) != 0;
    const bool same = !closed && status.st_dev == entry.device && status.st_ino == entry.inode;
    if (same && (!entry.listens || listens(entry.fd))) continue;
    return std::string(entry.what) + " (number " + std::to_string(entry.fd) + ") was " +
           (closed ? "closed"
            : same ? "shut down"
                   : "replaced by another file");
  }
  return {};
}

void OwnDescriptors::give_up_in_child() const {
  constexpr std::size_t kListeningMax = 16;
  LocalAddress listening[kListeningMax];
  std::size_t count = 0;
  for (const Entry& entry : entries_) {
    if (entry.fd >= 0 && count < kListeningMax && listens(entry.fd))
      listening[count++] = LocalAddress::of(entry.fd);
  }
  for (const Entry& entry : entries_) {
    if (entry.fd >= 0) ::close(entry.fd);
  }
  for_each_descriptor([&](int fd) {
    const LocalAddress local = LocalAddress::of(fd);
    if (std::any_of(listening, listening + count,
                    [&](const LocalAddress& one) { return local.came_in_by(one); }))
      ::close(fd);
  });
}

}  // namespace sluice
