// Who asks, and with which scheme, as trusted proxies tell it: X-Forwarded-For and X-Forwarded-Proto, or
// Forwarded (RFC 7239).
//
// A client can send such fields as well, and a proxy writes behind what came. So the lists are read from their
// end: what a trusted address has written is believed, and nothing before it. Pure, any thread.
#pragma once

#include <sluice/abi.h>

#include <optional>
#include <vector>

#include "base/peer_address.h"
#include "settings/networks.h"

namespace sluice {

struct Forwarded {
  // The last address that is not a trusted proxy's. Where a proxy tells none that can be read, its own.
  PeerAddress client;
  // Whether the client uses https; nullopt if it was not told.
  std::optional<bool> secure{};
};

// `peer` has sent the request. Without trust in it, it is the client.
Forwarded judge_forwarded(const std::vector<Field>& fields, const TrustedProxies& trusted,
                          const PeerAddress& peer);

}  // namespace sluice
