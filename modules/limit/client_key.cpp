#include "limit/client_key.h"

#include "common/http/client_address.h"
#include "common/http/request_field.h"
#include "common/http/text.h"

namespace sluice::limit {
namespace {

constexpr unsigned kNetworkBits = 64;  // of IPv6

}  // namespace

std::optional<KeySource> parse_key(std::string_view text) {
  if (text == "address") return KeySource{};
  const std::string_view kind = files::take_part(text, ':');
  if (text.empty()) return std::nullopt;
  if (kind == "field") return KeySource{KeySource::Kind::field, std::string(text)};
  if (kind == "note") return KeySource{KeySource::Kind::note, std::string(text)};
  return std::nullopt;
}

void append_key(std::string& to, const KeySource& source, Exchange& exchange) {
  if (source.kind == KeySource::Kind::field) {
    to += files::field_of(exchange.request(), source.name);
    return;
  }
  if (source.kind == KeySource::Kind::note) {
    to += std::string_view(exchange.noted(source.name));
    return;
  }
  using Family = files::ClientAddress::Family;
  files::ClientAddress address = files::parse_client(exchange.client_address());
  if (address.family == Family::v6) address = files::network_of(address, kNetworkBits);
  to += static_cast<char>(address.family);
  to.append(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
}

}  // namespace sluice::limit
