// The seam between a connection and its socket: plain TCP or Unix streams today.
//
// Owns the socket. Nothing here blocks, and no errno leaves it. Loop thread.
#pragma once

#include <sluice/abi.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace sluice {

// The system calls of all transports. Tests put others in their place, since some answers of a kernel are rare.
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
  // ok with size 0: the client has sent its last byte. full: nothing there now.
  Moved receive(char* buffer, std::size_t size);
  // Bytes, or the end, have come and were not received.
  bool has_arrived() const;
  // `more_follows` lets the kernel hold a short segment back for what comes next (MSG_MORE), until `release`.
  Moved send(const iovec* pieces, int count, bool more_follows);
  // ok with less than `size` never happens; short_file when the file ends early.
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size);
  // From now on short segments are held back, also at the end of each send_file (TCP_CORK), until `release`.
  void cork();
  // Nothing follows for now: sends what is held back, which the kernel would do 200 ms later.
  void release();
  // A call has failed for want of memory, which counts as full, but of which no edge tells the end.
  bool starved() const { return starved_; }
  bool take_starved() { return std::exchange(starved_, false); }
  // What the client has not acknowledged yet. For comparing two looks between which nothing was sent: it goes
  // down when the client takes something. Bytes on TCP; on Unix sockets memory, which goes down by whole
  // buffers of some 32 KiB.
  std::uint32_t unacknowledged() const;
  // How many bytes the client has acknowledged since it connected; nothing where the kernel does not count
  // them.
  std::optional<std::uint64_t> acknowledged() const;
  // Whether the socket has taken any byte since the call before.
  bool take_progress() { return std::exchange(progressed_, false); }
  // No more will be sent; the client can still be read.
  void finish_sending();
  // Closing will reset the connection instead of ending it in order.
  void abort();
  std::string peer_name() const;
  // Lets the descriptor go, so that another connection may have it in this turn. Nothing else may follow.
  void close() { socket_.reset(); }

 private:
  Io judge(int error_number);
  bool set_option(int option, int value);

  UniqueFd socket_;
  bool progressed_ = false;
  bool starved_ = false;
  bool corked_ = false;
  bool held_ = false;   // something may be held back
  bool is_tcp_ = true;  // as far as is known
};

}  // namespace sluice
