// Which addresses may pass. Plain values; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/http/client_address.h"

namespace sluice::access {

// The addresses that have the first bits in common, as CIDR writes them; or all clients of sockets with paths.
struct AddressRange {
  files::ClientAddress first;
  unsigned bits = 0;

  bool has(const files::ClientAddress& address) const {
    return address.family == first.family && files::network_of(address, bits) == first;
  }
};

// "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" or "unix". Nothing for other texts, and for a range that is not
// written by its first address, since it is then not clear which one is meant.
std::optional<AddressRange> parse_range(std::string_view text);

enum class Verdict {
  allowed,    // a rule names the address
  undecided,  // no rule does, and there are none that others would need
  refused,
};

struct AddressRules {
  std::vector<AddressRange> allow;
  std::vector<AddressRange> deny;

  // `client` is as Exchange::client_address says it. `deny` wins. Where `allow` names any, all others are
  // refused.
  Verdict judge(std::string_view client) const;
};

}  // namespace sluice::access
