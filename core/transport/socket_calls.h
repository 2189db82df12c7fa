// The system calls that move a client's bytes, but for the alert of kernel_tls. Tests replace them to get
// results that a kernel rarely gives.
//
// As the calls of their names: -1 and errno when they fail. Loop thread.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace sluice {

struct SocketCalls {
  ssize_t (*receive)(int socket, char* buffer, std::size_t size);
  ssize_t (*send)(int socket, const iovec* pieces, int count, int flags);
  ssize_t (*send_file)(int socket, int file, off_t* position, std::size_t size);
};
extern constinit SocketCalls socket_calls;

}  // namespace sluice
