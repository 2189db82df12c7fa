// The descriptors that a worker cannot do without: its epoll, its listening sockets, what wakes it. All code of
// a process can close them, or put another file in their place; then the worker would spin, or hear nothing.
//
// Written by the loop's thread; `give_up_in_child` reads it in a forked process, whichever thread has forked.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace sluice {

class OwnDescriptors {
 public:
  // "the epoll descriptor". Of more than there is room for, the later ones are not looked after.
  void add(int fd, const char* what);
  void remove(int fd);
  // "the epoll descriptor (number 5) was closed"; empty when each is what it was. A few system calls.
  std::string trouble() const;
  // In a process that was forked and goes on without exec: closes them and the connections that came in by
  // them, which would else stay open as long as it lives. Allocates nothing.
  void give_up_in_child() const;

 private:
  static constexpr std::size_t kMax = 128;
  struct Entry {
    std::atomic<int> fd{-1};
    const char* what = nullptr;
    dev_t device = 0;
    ino_t inode = 0;
  };
  std::array<Entry, kMax> entries_;
};

}  // namespace sluice
