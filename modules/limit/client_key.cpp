#include "limit/client_key.h"

// Compiled in here, so that the module needs no library beside it.
#define XXH_INLINE_ALL
#include <sys/random.h>
#include <xxhash.h>

#include <stdexcept>
#include <utility>

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

KeyMaker::KeyMaker(KeySource source) : source_(std::move(source)) {
  static_assert(kSecretSize >= XXH3_SECRET_SIZE_MIN);
  if (getrandom(secret_.data(), secret_.size(), 0) != static_cast<ssize_t>(secret_.size()))
    throw std::runtime_error("the system has no random bytes");
}

Key KeyMaker::key_of(Exchange& exchange) const {
  if (source_.kind == KeySource::Kind::field) return hash(files::field_of(exchange.request(), source_.name));
  if (source_.kind == KeySource::Kind::note) return hash(exchange.noted(source_.name));
  using Family = files::ClientAddress::Family;
  files::ClientAddress address = files::parse_client(exchange.client_address());
  if (address.family == Family::v6) address = files::network_of(address, kNetworkBits);
  std::array<char, 17> bytes{};
  bytes[0] = static_cast<char>(address.family);
  std::memcpy(&bytes[1], address.bytes.data(), address.bytes.size());
  return hash({bytes.data(), bytes.size()});
}

Key KeyMaker::hash(std::string_view bytes) const {
  const XXH128_hash_t made =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
  return {made.low64, made.high64};
}

}  // namespace sluice::limit
