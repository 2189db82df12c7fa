// Makes calls of transports fail as a kernel may make them fail, while it lives.
#pragma once

#include <cerrno>
#include <functional>

#include "transport/socket_calls.h"

namespace sluice::test {

class FailingCalls {
 public:
  // `fails` returns the errno of the next call, or 0 for a call that the kernel has to answer.
  explicit FailingCalls(std::function<int()> fails) {
    fails_ = std::move(fails);
    socket_calls.receive = [](int socket, char* buffer, std::size_t size) -> ssize_t {
      return fail() ? -1 : kKernel.receive(socket, buffer, size);
    };
    socket_calls.send = [](int socket, const iovec* pieces, int count, int flags) -> ssize_t {
      return fail() ? -1 : kKernel.send(socket, pieces, count, flags);
    };
    socket_calls.send_file = [](int socket, int file, off_t* position, std::size_t size) -> ssize_t {
      return fail() ? -1 : kKernel.send_file(socket, file, position, size);
    };
  }
  ~FailingCalls() {
    socket_calls = kKernel;
    fails_ = nullptr;
  }
  FailingCalls(const FailingCalls&) = delete;
  FailingCalls& operator=(const FailingCalls&) = delete;

 private:
  static bool fail() {
    const int error = fails_();
    if (error != 0) errno = error;
    return error != 0;
  }

  static inline const SocketCalls kKernel = socket_calls;
  static inline std::function<int()> fails_;
};

}  // namespace sluice::test
