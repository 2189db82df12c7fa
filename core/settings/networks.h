// Networks of addresses, by which proxies are trusted, and their grammar. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/peer_address.h"

namespace sluice {

class Networks {
 public:
  // Adds "10.0.0.0/8", "2001:db8::/32", "192.0.2.1" or "unix", which is all Unix sockets. The error says what
  // to write.
  Result<void> add(std::string_view text);

  bool empty() const { return all_.empty(); }
  // An IPv4 address that is mapped into IPv6 counts as IPv4. An unknown address is in no network.
  bool has(const PeerAddress& address) const;

  bool operator==(const Networks&) const = default;

 private:
  struct Network {
    PeerAddress first;
    unsigned bits = 0;

    bool operator==(const Network&) const = default;
  };

  std::vector<Network> all_;
};

// Networks as a person gives them for an option.
struct GivenNetworks {
  Networks networks;
  bool said = false;
};

// The field in which trusted proxies tell who asks. Only one of them is read: proxies pass on as it came what
// they do not write themselves.
enum class ForwardedField : std::uint8_t {
  x_forwarded,  // X-Forwarded-For and X-Forwarded-Proto
  forwarded,    // Forwarded (RFC 7239)
};

// Whose fields about their clients are believed.
struct TrustedProxies {
  GivenNetworks from;
  ForwardedField field = ForwardedField::x_forwarded;
};

}  // namespace sluice
