// A Peer, with the texts that its views show, and what TLS has agreed on. Values; any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// What the handshake of a connection has agreed on. The numbers are those of the protocol. The views are valid
// as long as the connection.
struct TlsFacts {
  std::uint16_t version = 0;  // 0x0304 for TLS 1.3
  std::uint16_t cipher_suite = 0;
  bool resumed = false;
  std::string_view protocol{};     // by ALPN; empty if none was agreed on
  std::string_view server_name{};  // that the client has asked for
};

struct PeerFacts {
  Peer peer;  // without views
  std::string address{};
  std::string server_name{};
  std::string certificate_subject{};
  std::string certificate_fingerprint{};

  // Points the views to the texts. Valid until this object moves or changes.
  const Peer& view() {
    peer.address = address;
    peer.server_name = server_name;
    peer.certificate_subject = certificate_subject;
    peer.certificate_fingerprint = certificate_fingerprint;
    return peer;
  }
};

}  // namespace sluice
