#include "common/http/client_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace sluice::files {
namespace {

using Family = ClientAddress::Family;

constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

ClientAddress parse_address(std::string_view text) {
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> written{};
  ClientAddress address;
  if (text.size() >= written.size()) return address;
  std::copy(text.begin(), text.end(), written.begin());
  if (inet_pton(AF_INET, written.data(), address.bytes.data()) == 1) {
    address.family = Family::v4;
    return address;
  }
  if (inet_pton(AF_INET6, written.data(), address.bytes.data()) != 1) return {};
  address.family = Family::v6;
  if (!std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) return address;
  ClientAddress mapped;
  mapped.family = Family::v4;
  std::copy(address.bytes.begin() + kMapped.size(), address.bytes.end(), mapped.bytes.begin());
  return mapped;
}

ClientAddress parse_client(std::string_view text) {
  if (text.starts_with("unix:")) {
    ClientAddress address;
    address.family = Family::local;
    return address;
  }
  if (text.starts_with('[')) return parse_address(text.substr(1, text.rfind(']') - 1));
  return parse_address(text.substr(0, text.rfind(':')));
}

ClientAddress network_of(ClientAddress address, unsigned kept) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned bits = kept <= before ? 0 : std::min(kept - before, 8U);
    address.bytes[i] &= static_cast<unsigned char>(0xff00U >> bits);
  }
  return address;
}

}  // namespace sluice::files
