#include "transport/peer_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace sluice {

PeerAddress::PeerAddress(const sockaddr_storage& address)
    : family_(static_cast<std::uint8_t>(address.ss_family)) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(bytes_.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    port_ = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(bytes_.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
    port_ = ntohs(v6.sin6_port);
  }
}

PeerAddress PeerAddress::of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return PeerAddress(address);
}

std::string PeerAddress::text() const {
  if (!is_known()) return "unknown";
  if (family_ != AF_INET && family_ != AF_INET6) return "unix:";
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(family_, bytes_.data(), text, sizeof(text));
  const std::string port = std::to_string(port_);
  return family_ == AF_INET ? text + (":" + port) : "[" + std::string(text) + "]:" + port;
}

}  // namespace sluice
