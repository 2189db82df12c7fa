// A Peer, with the texts that its views show. Values; any thread.
#pragma once

#include <sluice/abi.h>

#include <string>

namespace sluice {

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
