// The seam between a connection and its socket: plain TCP or Unix streams today.
//
// Owns the socket. Nothing here blocks, and no errno leaves it. Loop thread.
#pragma once

#include <sluice/abi.h>
#include <sys/uio.h>

#include <string>
#include <utility>

#include "unique_fd.h"

namespace sluice {

class Transport {
 public:
  explicit Transport(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // ok with size 0: the client has sent its last byte. full: nothing there now.
  Moved receive(char* buffer, std::size_t size);
  // `more_follows` lets the kernel wait for what comes next before it sends a short segment (MSG_MORE).
  Moved send(const iovec* pieces, int count, bool more_follows);
  // ok with less than `size` never happens; short_file when the file ends early.
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size);
  // What the client has not acknowledged yet. For comparing two looks between which nothing was sent: it goes
  // down when the client takes something. Bytes on TCP; on Unix sockets memory, which goes down by whole
  // buffers of some 32 KiB.
  std::uint32_t unacknowledged() const;
  // Whether the socket has taken any byte since the call before.
  bool take_progress() { return std::exchange(progressed_, false); }
  // No more will be sent; the client can still be read.
  void finish_sending();
  // Closing will reset the connection instead of ending it in order.
  void abort();
  std::string peer_name() const;

 private:
  UniqueFd socket_;
  bool progressed_ = false;
};

}  // namespace sluice
