// Ranges of client addresses, as options name them. Plain values; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/http/client_address.h"

namespace sluice::files {

// The addresses that have the first bits in common, as CIDR writes them; or all clients of sockets with paths.
struct AddressRange {
  ClientAddress first;
  unsigned bits = 0;

  bool has(const ClientAddress& address) const {
    return address.family == first.family && network_of(address, bits) == first;
  }
};

// "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" or "unix". Nothing for other texts, and for a range that is not
// written by its first address, since it is then not clear which one is meant.
std::optional<AddressRange> parse_range(std::string_view text);

bool any_has(const std::vector<AddressRange>& ranges, const ClientAddress& address);

// What an option has in place of a range: "write ...".
inline constexpr std::string_view kRangeAdvice =
    "write an address, the first address of a range and its bits as in 192.0.2.0/24, or unix";

}  // namespace sluice::files
