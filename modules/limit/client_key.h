// What the requests of one client have in common: its address, a field, or a note of another filter.
//
// Loop thread.
#pragma once

#include <sluice/handler.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::limit {

// Which part of a request tells clients apart.
struct KeySource {
  enum class Kind : std::uint8_t { address, field, note };
  Kind kind = Kind::address;
  std::string name;  // of the field or the note
};

// "address", "field:NAME" or "note:NAME". Nothing for other texts.
std::optional<KeySource> parse_key(std::string_view text);

using Key = std::array<std::uint64_t, 2>;
// The bytes are random already.
struct KeyHash {
  std::size_t operator()(const Key& key) const { return static_cast<std::size_t>(key[0]); }
};

// Makes keys of equal size by XXH3 in 128 bits with a random secret. So no client can choose texts that have
// one key, or that fall into one bucket of a table.
class KeyMaker {
 public:
  // Throws std::runtime_error if the system has no random bytes.
  explicit KeyMaker(KeySource source);

  // Of IPv6 the first 64 bits count, which one client has for itself. All requests without the field or note
  // have one key, and so have all clients of a socket with a path.
  Key key_of(Exchange& exchange) const;

 private:
  static constexpr std::size_t kSecretSize = 192;

  Key hash(std::string_view bytes) const;

  const KeySource source_;
  std::array<unsigned char, kSecretSize> secret_{};
};

}  // namespace sluice::limit
