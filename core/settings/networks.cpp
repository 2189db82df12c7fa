#include "settings/networks.h"

#include <fmt/core.h>
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

// Whether the first `bits` of both are the same.
bool is_alike(const PeerAddress& one, const PeerAddress& other, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(one.bytes().begin(), one.bytes().begin() + whole, other.bytes().begin())) return false;
  if (bits % 8 == 0) return true;
  const unsigned differing = static_cast<unsigned>(one.bytes()[whole] ^ other.bytes()[whole]);
  return (differing & (0xff00U >> (bits % 8)) & 0xffU) == 0;
}

// With the bits behind the first `kept` cleared.
PeerAddress network_of(const PeerAddress& address, unsigned kept) {
  std::string bytes(address.bytes().begin(), address.bytes().begin() + (address.family() == AF_INET ? 4 : 16));
  for (std::size_t i = kept / 8; i < bytes.size(); ++i) {
    const unsigned bits = i == kept / 8 ? kept % 8 : 0;
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & (0xff00U >> bits));
  }
  return PeerAddress::of_bytes(bytes);
}

}  // namespace

Result<void> Networks::add(std::string_view text) {
  if (text == "unix") {
    all_.push_back({PeerAddress::of_unix_socket(), 0});
    return {};
  }
  const std::size_t slash = text.find('/');
  const auto first = PeerAddress::parse(text.substr(0, slash));
  if (!first || first->unmapped() != *first)
    return fail(in_quotes(text) + " is no network: write 10.0.0.0/8, 2001:db8::/32, 192.0.2.1 or unix");
  const unsigned most = first->family() == AF_INET ? 32 : 128;
  const auto bits = slash == std::string_view::npos ? most : parse_decimal(text.substr(slash + 1));
  if (!bits || *bits > most)
    return fail(
        fmt::format("the network {} needs a number from 0 to {} behind its slash", in_quotes(text), most));
  const auto kept = static_cast<unsigned>(*bits);
  if (const PeerAddress network = network_of(*first, kept); network != *first)
    return fail(fmt::format("the network {} begins in the middle of a network: write {}/{}", in_quotes(text),
                            trimmed(network.text(), "[]"), kept));
  all_.push_back({*first, kept});
  return {};
}

bool Networks::has(const PeerAddress& address) const {
  const PeerAddress plain = address.unmapped();
  return std::any_of(all_.begin(), all_.end(), [&](const Network& network) {
    return network.first.family() == plain.family() && is_alike(network.first, plain, network.bits);
  });
}

}  // namespace sluice
