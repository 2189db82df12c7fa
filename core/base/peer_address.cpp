#include "base/peer_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

namespace sluice {
namespace {

constexpr std::size_t kMappedPrefix = 12;

}  // namespace

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

std::optional<PeerAddress> PeerAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> written{};
  // inet_pton(3) would stop at a zero byte.
  if (text.size() >= written.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), written.begin());
  PeerAddress address;
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, written.data(), address.bytes_.data()) != 1) continue;
    address.family_ = static_cast<std::uint8_t>(family);
    return address;
  }
  return std::nullopt;
}

PeerAddress PeerAddress::of_bytes(std::string_view bytes) {
  PeerAddress address;
  address.family_ = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  bytes.copy(reinterpret_cast<char*>(address.bytes_.data()), address.bytes_.size());
  return address;
}

PeerAddress PeerAddress::of_unix_socket() {
  PeerAddress address;
  address.family_ = AF_UNIX;
  return address;
}

bool PeerAddress::is_within_host() const {
  constexpr unsigned char kLoopback = 127;  // 127.0.0.0/8 (RFC 1122 section 3.2.1.3)
  const PeerAddress plain = unmapped();
  if (plain.family_ == AF_INET) return plain.bytes_[0] == kLoopback;
  in6_addr v6;
  std::memcpy(&v6, bytes_.data(), sizeof(v6));
  return family_ == AF_UNIX || (family_ == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6));
}

PeerAddress PeerAddress::unmapped() const {
  in6_addr v6;
  std::memcpy(&v6, bytes_.data(), sizeof(v6));
  if (family_ != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6)) return *this;
  PeerAddress v4;
  std::copy(bytes_.begin() + kMappedPrefix, bytes_.end(), v4.bytes_.begin());
  v4.family_ = AF_INET;
  v4.port_ = port_;
  return v4;
}

PeerAddress PeerAddress::with_port(std::uint16_t port) const {
  PeerAddress other = *this;
  other.port_ = port;
  return other;
}

std::string PeerAddress::text() const {
  if (!is_known()) return "unknown";
  if (family_ != AF_INET && family_ != AF_INET6) return "unix:";
  char text[INET6_ADDRSTRLEN + sizeof("[]:65535")] = "[";
  char* end = text;
  if (family_ == AF_INET) {  // most clients; inet_ntop(3) takes longer
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) *end++ = '.';
      end = std::to_chars(end, end + 3, bytes_[i]).ptr;
    }
  } else {
    ::inet_ntop(AF_INET6, bytes_.data(), text + 1, INET6_ADDRSTRLEN);
    end = text + std::strlen(text);
    *end++ = ']';
  }
  if (port_ == 0) return {text, end};
  *end++ = ':';
  return {text, std::to_chars(end, std::end(text), port_).ptr};
}

std::string PeerAddress::text_with_port() const {
  const bool lacks_port = port_ == 0 && (family_ == AF_INET || family_ == AF_INET6);
  return lacks_port ? text() + ":0" : text();
}

void PeerAddress::describe(PeerFacts& facts) const {
  if (family_ == AF_UNIX) facts.peer.flags |= kPeerUnixSocket;
  if (family_ != AF_INET && family_ != AF_INET6) return;
  const PeerAddress plain = unmapped();
  facts.peer.flags &= ~static_cast<std::uint32_t>(kPeerUnixSocket);
  facts.peer.port = port_;
  facts.address.assign(plain.bytes_.begin(), plain.bytes_.end());
  if (plain.family_ == AF_INET) facts.address.resize(sizeof(in_addr));
}

}  // namespace sluice
