#include "transport/socket_calls.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sluice {
namespace {

// The C library's recv, send and sendmsg are cancellation points, which cost extra in a process with threads.
// No thread is cancelled here, so the system calls are made directly.
ssize_t receive_now(int fd, char* buffer, std::size_t size) {
  return ::syscall(SYS_recvfrom, fd, buffer, size, 0, nullptr, nullptr);
}

ssize_t send_now(int fd, const iovec* pieces, int count, int flags) {
  if (count == 1) return ::syscall(SYS_sendto, fd, pieces->iov_base, pieces->iov_len, flags, nullptr, 0);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);  // sendmsg(2) does not write to it
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::syscall(SYS_sendmsg, fd, &message, flags);
}

ssize_t send_file_now(int socket, int file, off_t* position, std::size_t size) {
  return ::sendfile(socket, file, position, size);
}

}  // namespace

constinit SocketCalls socket_calls{receive_now, send_now, send_file_now};

}  // namespace sluice
