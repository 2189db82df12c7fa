// What has happened to files and folders that are watched, by inotify(7).
//
// The kernel queues an event before the call that changes something returns, so one look at the queue tells of
// everything that a client can have seen happen before it asked. Nothing is told of what is written through a
// shared mapping or by Linux native AIO: but that the file was opened. A mount over a folder is told, too.
//
// The looks of a worker are one system call each, whatever is watched; those who had arrived before a look
// share it. Loop thread; waits for nothing.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
#include <string_view>

#include "common/files/kernel_mounts.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

class ChangeFeed {
 public:
  class Listener {
   public:
    // `mask` is inotify's; `name` in the folder, empty where it is the watched thing itself.
    virtual void changed(int watch, std::uint32_t mask, std::string_view name) = 0;
    // More may have changed than was told.
    virtual void everything_changed() = 0;

   protected:
    ~Listener() = default;
  };

  ChangeFeed(Host& host, Listener& listener);
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  static constexpr int kNoWatch = -1;
  // The same number for what is watched already; kNoWatch where the kernel refuses. The descriptor may be an
  // O_PATH one.
  int watch_folder(int fd);
  int watch_file(int fd);
  void drop(int watch);
  // Whether changes of what stx describes are told.
  bool tells(const struct statx& known) { return inotify_ && mounts_.tells(known); }

  // Tells the listener what has happened, unless a look since then has done so (CLOCK_MONOTONIC).
  void look(std::uint64_t since_ns);
  // Everything may have changed, from now on.
  void close();

 private:
  int watch(int fd, std::uint32_t mask);
  void hear();
  void tell(const char* events, ssize_t size);

  Host& host_;
  Listener& listener_;
  KernelMounts mounts_;
  OwnedFd inotify_;
  OwnedFd ready_;  // an epoll of both: asking it costs least while nothing happens
  std::uint64_t looked_ns_ = 0;
  std::uint64_t refused_until_ms_ = 0;
  bool complained_ = false;
};

}  // namespace sluice::files
