// The address of a client as bytes. IPv4 that is mapped into IPv6 (RFC 4291 section 2.5.5.2) counts as IPv4.
// Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::files {

struct ClientAddress {
  enum class Family : std::uint8_t { unknown, local, v4, v6 };  // local: a socket with a path
  Family family = Family::unknown;
  std::array<unsigned char, 16> bytes{};  // those of IPv4 are the first four

  bool operator==(const ClientAddress&) const = default;
};

// The bits of an address in `bytes`; 0 for the other families.
constexpr unsigned address_bits(const ClientAddress& address) {
  using Family = ClientAddress::Family;
  return address.family == Family::v4 ? 32 : address.family == Family::v6 ? 128 : 0;
}

// "192.0.2.1" or "2001:db8::1", also with a zone behind it. The family is unknown if it is neither.
ClientAddress parse_address(std::string_view text);

// What Exchange::client_address says: "192.0.2.1:49152", "[2001:db8::1]:49152" or "unix:", or without the port.
ClientAddress parse_client(std::string_view text);

// Clears the bits behind the first `kept`.
ClientAddress network_of(ClientAddress address, unsigned kept);

}  // namespace sluice::files
