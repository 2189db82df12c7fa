// The descriptors that a worker needs: its epoll, its listening sockets, those that wake it. Any code of the
// process can close them or put another file in their place. Then the worker would spin, or get no events.
//
// The loop's thread writes it. `give_up_in_child` reads it in a forked process, whichever thread has forked.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace sluice {

class OwnDescriptors {
 public:
  // `what` is a name such as "the epoll descriptor". Descriptors beyond the room are not checked.
  void add(int fd, const char* what);
  void remove(int fd);
  // It is a socket that listens from now on. One that was shut down no longer does.
  void expect_to_listen(int fd);
  // "the epoll descriptor (number 5) was closed"; empty when none was changed. Takes a few system calls.
  std::string trouble() const;
  // For a forked process that goes on without exec: closes them, and the connections accepted from them,
  // which would else stay open as long as the process lives. Allocates nothing.
  void give_up_in_child() const;

 private:
  static constexpr std::size_t kMax = 128;
  struct Entry {
    std::atomic<int> fd{-1};
    const char* what = nullptr;
    dev_t device = 0;
    ino_t inode = 0;
    bool listens = false;
  };
  std::array<Entry, kMax> entries_;
};

}  // namespace sluice
