// The header by which a proxy introduces its client before the connection's first own byte: the PROXY protocol,
// versions 1 and 2 (proxy-protocol.txt of HAProxy, sections 2.1 and 2.2).
//
// Pure, any thread. Who may send a header is the caller's to judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/peer_address.h"

namespace sluice {

struct ProxyHeader {
  enum class Outcome : std::uint8_t { incomplete, complete, refused };
  // Of one header, with what follows its addresses in version 2.
  static constexpr std::size_t kSizeMax = 4096;

  Outcome outcome = Outcome::incomplete;
  std::size_t size = 0;  // of the complete header, which begins the bytes
  // nullopt: the proxy speaks for itself, or does not know; the address is the socket's.
  std::optional<PeerAddress> client{};
  std::string_view reason{};  // of the refusal, to stand behind "because"
};

// `bytes` are all that have come, or the first ProxyHeader::kSizeMax of them. A prefix of a header is
// incomplete.
ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace sluice
