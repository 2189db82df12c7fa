// Listening sockets. The supervisor makes and holds them; its workers accept from them.
//
// A TCP address has one SO_REUSEPORT socket for each worker, so that the kernel spreads connections, and the
// queue of a killed worker waits for its successor. A Unix socket cannot do that, so all workers share it. So
// they do with sockets that a service manager has passed (InheritedSockets).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "process/handover.h"
#include "settings/listen_address.h"

namespace sluice {

// All sockets of one address. Owned by the supervisor; one thread.
class ListenGroup {
 public:
  // Binds and listens. The error names the address and a remedy.
  static Result<std::unique_ptr<ListenGroup>> open(const ListenAddress& address, unsigned workers);
  // Takes copies of passed sockets, which listen at the address. REQUIRES: at least one.
  static std::unique_ptr<ListenGroup> inherit(const ListenAddress& address, std::vector<UniqueFd> sockets);
  // Takes sockets of the former server, which listen at the address that is written so. REQUIRES: at least one.
  static std::unique_ptr<ListenGroup> adopt(const std::string& text, std::vector<UniqueFd> sockets);
  // Adds the sockets that listen, unless they were passed.
  void hand_over(Handover& handover) const;
  // From now on the file of an adopted Unix socket is this process' to remove; until then it is the former
  // server's.
  void own_file();
  // Another process has the sockets now, and the file of a Unix socket.
  void forget_file() { inode_ = 0; }
  // Removes the file of a Unix socket, if it made that, unless another file has taken its place.
  ~ListenGroup();
  ListenGroup(const ListenGroup&) = delete;
  ListenGroup& operator=(const ListenGroup&) = delete;

  // Makes sure that each worker has a socket. Sockets beyond the number of workers stay open, because closing
  // one resets the connections in its queue. New sockets are only bound, and get no connection before `listen`
  // puts them to use; `drop_unused` closes them instead.
  Result<void> provide(unsigned workers);
  Result<void> listen();
  void drop_unused() { sockets_.resize(listening_); }
  // A module may have shut a socket down, in all processes that have it. Then it listens again, or another one
  // at its path does. What fails is logged.
  void listen_again();
  // The sockets from which worker `index` of `workers` accepts: its own, and its share of those without a
  // worker.
  std::vector<int> sockets_of(unsigned index, unsigned workers) const;
  // For a forked worker: closes all others, so that an address is free once its own workers have closed it.
  void close_all_but(const std::vector<ListeningSocket>& kept);
  const std::string& text() const { return text_; }
  // Whether it fulfils such an address. If the address lets the kernel choose the port, any port does.
  bool is_of(const ListenAddress& address) const;
  // Whether it is at exactly this address, however that is written. Never for port 0, or for a Unix socket.
  bool is_at(const ListenAddress& address) const;
  std::uint16_t port() const;  // REQUIRES: not a Unix socket
  // The beginning of the mounts' URLs. `tls`: the address speaks it, which a reload may change.
  std::string url(bool tls) const;

 private:
  ListenGroup() = default;
  Result<void> add_socket();
  Result<void> listen_again(int socket) const;
  Result<void> replace_unix_socket();
  bool is_shared() const { return inherited_ || bound_.is_unix(); }

  std::string text_;     // as written
  ListenAddress bound_;  // with the port that the kernel chose
  std::vector<UniqueFd> sockets_;
  std::size_t listening_ = 0;  // how many of them listen: the first ones
  bool inherited_ = false;
  dev_t device_ = 0;  // with inode_: the file of a Unix socket
  ino_t inode_ = 0;
};

// Whether an address could be listened on. It does not listen, and leaves nothing behind. The text is a note:
// empty, or that a server of the same user has the address, as when the configuration of a running server is
// checked.
Result<std::string> try_address(const ListenAddress& address);

}  // namespace sluice
