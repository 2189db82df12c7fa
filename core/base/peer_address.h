// The address of a client: of a socket's peer, kept from the moment that it is accepted, because after a reset
// the kernel no longer tells it; or as a proxy has told it. Values; any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  // "192.0.2.1" or "2001:db8::1", which name no port and no interface.
  static std::optional<PeerAddress> parse(std::string_view text);
  // 4 or 16 bytes in network order.
  static PeerAddress of_bytes(std::string_view bytes);
  static PeerAddress of_unix_socket();

  bool is_known() const { return family_ != AF_UNSPEC; }
  int family() const { return family_; }
  // Those of IPv4 are the first four.
  const std::array<unsigned char, 16>& bytes() const { return bytes_; }
  // A Unix socket, or a loopback address. Of another host, it tells nothing.
  bool is_within_host() const;
  // An IPv4 address in place of an IPv6 address that maps one (RFC 4291 section 2.5.5.2).
  PeerAddress unmapped() const;
  // Port 0 is not known.
  PeerAddress with_port(std::uint16_t port) const;
  // "192.0.2.1:40000", "[2001:db8::1]:40000", "unix:" or "unknown". A port that is not known is left out.
  std::string text() const;
  // The same, with port 0 if it is not known.
  std::string text_with_port() const;
  // Writes address, port, and whether it is a Unix socket. An IPv4 address that a socket of IPv6 has accepted
  // has four bytes.
  void describe(PeerFacts& facts) const;

  bool operator==(const PeerAddress&) const = default;

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
