#include "common/files/change_feed.h"

#include <sys/epoll.h>
#include <sys/inotify.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "common/files/destroy_on_thread.h"
#include "common/files/file_facts.h"

namespace sluice::files {
namespace {

constexpr std::uint32_t kOfFolders = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kOfFiles = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_OPEN | IN_DELETE_SELF;
constexpr int kReadsMax = 4;  // in one look; more events than that count as an overflow
constexpr std::uint64_t kRefusedMs = 10'000;

bool add(int epoll, int fd, std::uint32_t events) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.fd = fd;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

}  // namespace

ChangeFeed::ChangeFeed(Host& host, Listener& listener)
    : host_(host), listener_(listener), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_) {
    host_.log(LogLevel::warning,
              std::string("the kernel cannot report changes of files, so each request checks its file: ") +
                  "inotify_init1: " + std::strerror(errno));
    return;
  }
  ready_ = OwnedFd(epoll_create1(EPOLL_CLOEXEC));
  // A mount can hide what is watched. Where mounts are not reported, inotify is not relied on at all.
  if (!ready_ || !add(ready_.get(), inotify_.get(), EPOLLIN) || !add(ready_.get(), mounts_.fd(), EPOLLPRI)) {
    inotify_ = OwnedFd();
    ready_ = OwnedFd();
  }
}

int ChangeFeed::watch_folder(int fd) {
  return watch(fd, kOfFolders);
}

int ChangeFeed::watch_file(int fd) {
  return watch(fd, kOfFiles);
}

int ChangeFeed::watch(int fd, std::uint32_t mask) {
  if (!inotify_ || host_.now_ms() < refused_until_ms_) return kNoWatch;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int watch = inotify_add_watch(inotify_.get(), path.c_str(), mask);
  if (watch < 0 && (errno == ENOSPC || errno == ENOMEM)) {
    refused_until_ms_ = host_.now_ms() + kRefusedMs;
    if (!std::exchange(complained_, true)) {
      host_.log(
          LogLevel::warning,
          "no inotify watch is left, so each request for a file without a watch checks that file: raise the "
          "sysctl fs.inotify.max_user_watches");
    }
  }
  return watch < 0 ? kNoWatch : watch;
}

void ChangeFeed::drop(int watch) {
  if (inotify_) inotify_rm_watch(inotify_.get(), watch);
}

void ChangeFeed::look(std::uint64_t since_ns) {
  if (looked_ns_ >= since_ns) return;
  looked_ns_ = monotonic_ns();
  if (!ready_) return;
  epoll_event events[2];
  const int count = epoll_wait(ready_.get(), events, 2, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.fd == inotify_.get()) {
      hear();
    } else {
      mounts_.forget();
      listener_.everything_changed();
    }
  }
  if (count < 0) listener_.everything_changed();
}

void ChangeFeed::tell(const char* events, ssize_t size) {
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(events + at);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
      listener_.everything_changed();
    } else {
      const std::string_view name = event->len > 0 ? std::string_view(event->name) : std::string_view();
      listener_.changed(event->wd, event->mask, name);
    }
  }
}

void ChangeFeed::hear() {
  alignas(inotify_event) char buffer[16 * 1024];
  constexpr std::size_t kEventMax = sizeof(inotify_event) + NAME_MAX + 1;
  for (int i = 0; i < kReadsMax; ++i) {
    const ssize_t got = read(inotify_.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    try {
      tell(buffer, got);
    } catch (...) {
      listener_.everything_changed();  // needs no memory; the lack of it stopped the report
      throw;
    }
    if (sizeof(buffer) - static_cast<std::size_t>(got) >= kEventMax) return;  // the queue is empty
  }
  listener_.everything_changed();
}

void ChangeFeed::close() {
  listener_.everything_changed();
  ready_ = OwnedFd();
  // The close waits in the kernel until nobody uses a watch any more, so a thread does it.
  if (inotify_) destroy_on_thread(host_, std::move(inotify_));
}

}  // namespace sluice::files
