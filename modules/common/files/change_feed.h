// Reports changes of watched files and folders, by inotify(7).
//
// The kernel queues an event before the call that changes something returns. So one look at the queue reports
// every change that a client can have seen before it sent its request. Writes through a shared mapping or by
// Linux native AIO make no event of their own: only the opening of the file does. The feed also reports a
// mount over a folder.
//
// A look costs the worker one system call, however much is watched. Requests that arrived before a look share
// it. Loop thread; waits for nothing.
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
    // `mask` is inotify's. `name` is the name in the folder, or empty for the watched file or folder itself.
    virtual void changed(int watch, std::uint32_t mask, std::string_view name) = 0;
    // There may be changes that were not reported.
    virtual void everything_changed() = 0;

   protected:
    ~Listener() = default;
  };

  ChangeFeed(Host& host, Listener& listener);
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  static constexpr int kNoWatch = -1;
  // Returns the same number for what is watched already, and kNoWatch where the kernel refuses. The
  // descriptor may be an O_PATH one.
  int watch_folder(int fd);
  int watch_file(int fd);
  void drop(int watch);
  // Whether changes of the file that `known` describes are reported.
  bool tells(const struct statx& known) { return inotify_ && mounts_.tells(known); }

  // Reports the changes to the listener, unless there was a look after `since_ns` (CLOCK_MONOTONIC).
  void look(std::uint64_t since_ns);
  // Reports that everything may have changed, and watches nothing from then on.
  void close();

 private:
  int watch(int fd, std::uint32_t mask);
  void hear();
  void tell(const char* events, ssize_t size);

  Host& host_;
  Listener& listener_;
  KernelMounts mounts_;
  OwnedFd inotify_;
  OwnedFd ready_;  // an epoll of both: the cheapest question while nothing happens
  std::uint64_t looked_ns_ = 0;
  std::uint64_t refused_until_ms_ = 0;
  bool complained_ = false;
};

}  // namespace sluice::files
