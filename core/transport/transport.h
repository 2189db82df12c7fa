// The interface between a connection and its socket, which is a TCP or Unix stream.
//
// Owns the socket. No call blocks, and errors are values of Io, not errno. Loop thread.
#pragma once

#include <sluice/abi.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace sluice {

// The system calls of all transports. Tests replace them to get results that a kernel rarely gives.
struct SocketCalls {
  ssize_t (*receive)(int socket, char* buffer, std::size_t size);
  ssize_t (*send)(int socket, const iovec* pieces, int count, int flags);
  ssize_t (*send_file)(int socket, int file, off_t* position, std::size_t size);
};
extern constinit SocketCalls socket_calls;

class Transport {
 public:
  explicit Transport(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // ok with size 0: the client has sent its last byte. full: no bytes are there now.
  Moved receive(char* buffer, std::size_t size);
  // Whether bytes, the end of the stream or an error have arrived and were not received.
  bool has_arrived() const;
  // `more_follows` lets the kernel hold a short segment back until more bytes or `release` follow (MSG_MORE).
  Moved send(const iovec* pieces, int count, bool more_follows);
  // ok: all of `size` was sent. short_file: the file ended early.
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size);
  // Holds short segments back until `release`, also at the end of each send_file (TCP_CORK).
  void cork();
  // Sends the bytes that are held back, because nothing follows for now. The kernel would wait 200 ms.
  void release();
  // Whether a call has failed for want of memory. It returned full, but epoll reports no edge when memory is
  // free again.
  bool starved() const { return starved_; }
  bool take_starved() { return std::exchange(starved_, false); }
  // How much was sent and not acknowledged yet. If nothing is sent between two calls, a smaller second value
  // means that the client has taken bytes. On TCP it counts bytes; on Unix sockets the kernel's memory, which
  // shrinks by whole buffers of some 32 KiB.
  std::uint32_t unacknowledged() const;
  // How many bytes the client has acknowledged since it connected; nullopt where the kernel does not count
  // them.
  std::optional<std::uint64_t> acknowledged() const;
  // Whether the socket has taken any byte to send since the last call.
  bool take_progress() { return std::exchange(progressed_, false); }
  // Ends the sending direction. Receiving goes on.
  void finish_sending();
  // Makes the later close reset the connection instead of ending it in order.
  void abort();
  std::string peer_name() const;
  // Closes the descriptor, so that another connection can have its number in this turn. No other call may
  // follow.
  void close() { socket_.reset(); }

 private:
  Io judge(int error_number);
  bool set_option(int option, int value);

  UniqueFd socket_;
  bool progressed_ = false;
  bool starved_ = false;
  bool corked_ = false;
  bool held_ = false;   // the kernel may hold bytes back
  bool is_tcp_ = true;  // until setting an option of TCP fails
};

}  // namespace sluice
