#include "transport/peer_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <iterator>

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
  char text[INET6_ADDRSTRLEN + sizeof("[]:65535")] = "[";
  char* end = text;
  if (family_ == AF_INET) {  // most clients; inet_ntop(3) takes longer
    for (std::size_t i = 0; i < 4; ++i, *end++ = i < 4 ? '.' : ':')
      end = std::to_chars(end, end + 3, bytes_[i]).ptr;
  } else {
    ::inet_ntop(AF_INET6, bytes_.data(), text + 1, INET6_ADDRSTRLEN);
    end = text + std::strlen(text);
    *end++ = ']';
    *end++ = ':';
  }
  return {text, std::to_chars(end, std::end(text), port_).ptr};
}

void PeerAddress::describe(PeerFacts& facts) const {
  if (family_ != AF_INET && family_ != AF_INET6) return;
  in6_addr v6;
  std::memcpy(&v6, bytes_.data(), sizeof(v6));
  facts.peer.port = port_;
  facts.address.assign(bytes_.begin(), bytes_.end());
  constexpr std::size_t kMappedPrefix = 12;
  if (family_ == AF_INET) facts.address.resize(sizeof(in_addr));
  if (family_ == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6)) facts.address.erase(0, kMappedPrefix);
}

}  // namespace sluice
