// The address of a client, kept from the moment that it is accepted: after a reset, the kernel no longer tells
// it. Values; any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/peer_facts.h"
#include "base/unique_fd.h"

namespace sluice {

class PeerAddress {
 public:
  PeerAddress() = default;
  explicit PeerAddress(const sockaddr_storage& address);
  // Of the socket's peer, if that is still there.
  static PeerAddress of(int socket);

  bool is_known() const { return family_ != AF_UNSPEC; }
  // "192.0.2.1:40000", "[2001:db8::1]:40000", "unix:" or "unknown".
  std::string text() const;
  // Writes address and port. An IPv4 address that a socket of IPv6 has accepted has four bytes.
  void describe(PeerFacts& facts) const;

 private:
  std::array<unsigned char, 16> bytes_{};
  std::uint16_t port_ = 0;
  std::uint8_t family_ = AF_UNSPEC;
};

struct AcceptedSocket {
  // Without an address, it is asked for when it is wanted.
  AcceptedSocket(UniqueFd accepted, const PeerAddress& from = {})  // NOLINT(google-explicit-constructor)
      : socket(std::move(accepted)), peer(from) {}

  UniqueFd socket;
  PeerAddress peer;
};

}  // namespace sluice
