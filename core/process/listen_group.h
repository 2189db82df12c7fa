// Listening sockets, made and held by the supervisor; its workers accept from them.
//
// An address on TCP has one SO_REUSEPORT socket for each worker, so the kernel spreads connections and a killed
// worker's queue waits for its successor; a Unix socket cannot do that and is shared.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "settings/listen_address.h"

namespace sluice {

// All sockets of one address. Owned by the supervisor; one thread.
class ListenGroup {
 public:
  // Binds and listens. The error names the address and what to do.
  static Result<std::unique_ptr<ListenGroup>> open(const ListenAddress& address, unsigned workers);
  // Removes the file of a Unix socket, unless another has taken its place.
  ~ListenGroup();
  ListenGroup(const ListenGroup&) = delete;
  ListenGroup& operator=(const ListenGroup&) = delete;

  // Makes sure that each worker has a socket. Sockets beyond the number of workers stay open, because closing
  // one resets the connections in its queue. New sockets are only bound, and get no connection before `listen`
  // puts them to use; `drop_unused` closes them instead.
  Result<void> provide(unsigned workers);
  Result<void> listen();
  void drop_unused() { sockets_.resize(listening_); }
  // The sockets from which worker `index` of `workers` accepts: its own, and its share of those without a
  // worker.
  std::vector<int> sockets_of(unsigned index, unsigned workers) const;
  // In a forked worker: closes all but these, so that an address is free when its own workers have let it go.
  void close_all_but(const std::vector<int>& kept);
  const std::string& text() const { return text_; }
  // Whether it is what such an address asks for; where the kernel chose the port, any port is.
  bool is_of(const ListenAddress& address) const;
  // Whether it is at this very place, however that is written. Never for port 0, or a Unix socket.
  bool is_at(const ListenAddress& address) const;
  std::uint16_t port() const;  // REQUIRES: not a Unix socket
  std::string url() const;     // what a mount's prefix can be written behind

 private:
  ListenGroup() = default;
  Result<void> add_socket();

  std::string text_;     // as written
  ListenAddress bound_;  // with the port that the kernel chose
  std::vector<UniqueFd> sockets_;
  std::size_t listening_ = 0;  // the first ones
  dev_t device_ = 0;           // with inode_, the file of a Unix socket
  ino_t inode_ = 0;
};

// Whether an address could be listened on, tried without listening; leaves nothing behind. The text is a note:
// empty, or that a server of the same user has it now, as when one is asked about the configuration that it
// already serves.
Result<std::string> try_address(const ListenAddress& address);

}  // namespace sluice
