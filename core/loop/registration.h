// A descriptor's registration with a loop, which ends with this object. For owners of a few descriptors.
//
// Closing a descriptor does not end its registration while a forked process has the same file open (epoll(7)):
// the loop would get events for ever. So declare this member after the descriptor. Loop thread only.
#pragma once

#include <cstdint>

#include "loop/event_loop.h"

namespace sluice {

class Registration {
 public:
  Registration() = default;
  ~Registration() { end(); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // False with errno set when the kernel refuses. `loop` and `pollable` live longer.
  bool begin(EventLoop& loop, int fd, std::uint32_t events, Pollable& pollable) {
    end();
    loop_ = &loop;
    fd_ = fd;
    token_ = loop.add(fd, events, pollable);
    return token_ != EventLoop::kNoToken;
  }
  // Waits for other events from now on.
  void change(std::uint32_t events) {
    if (loop_ != nullptr) loop_->change(token_, fd_, events);
  }
  void end() {
    if (loop_ != nullptr) loop_->remove(token_, fd_);
    token_ = EventLoop::kNoToken;
  }

 private:
  EventLoop* loop_ = nullptr;
  int fd_ = -1;
  EventLoop::Token token_ = EventLoop::kNoToken;
};

}  // namespace sluice
