#include "common/http/address_range.h"

#include <algorithm>
#include <charconv>

namespace sluice::files {
namespace {

using Family = ClientAddress::Family;

constexpr unsigned kMappedBits = 96;  // before the IPv4 address in a mapped one

// The number of a whole text; nothing for other texts.
std::optional<unsigned> parse_bits(std::string_view text) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return bits;
}

}  // namespace

bool any_has(const std::vector<AddressRange>& ranges, const ClientAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const AddressRange& range) { return range.has(address); });
}

std::optional<AddressRange> parse_range(std::string_view text) {
  AddressRange range;
  if (text == "unix") {
    range.first.family = Family::local;
    return range;
  }
  if (text.find('%') != std::string_view::npos) return std::nullopt;
  const std::size_t slash = text.find('/');
  range.first = parse_address(text.substr(0, slash));
  if (range.first.family == Family::unknown) return std::nullopt;
  range.bits = address_bits(range.first);
  if (slash == std::string_view::npos) return range;
  std::optional<unsigned> bits = parse_bits(text.substr(slash + 1));
  // A range of mapped addresses is one of IPv4.
  if (bits && range.first.family == Family::v4 && text.find(':') < slash)
    bits = *bits >= kMappedBits ? std::optional(*bits - kMappedBits) : std::nullopt;
  if (!bits || *bits > range.bits) return std::nullopt;
  range.bits = *bits;
  if (network_of(range.first, range.bits) != range.first) return std::nullopt;
  return range;
}

}  // namespace sluice::files
