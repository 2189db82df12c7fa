// What the requests of one client have in common: its address, a field, or a note of another filter.
//
// Loop thread.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
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

// Appends what tells the client apart. Of IPv6 the first 64 bits count, which one client has for itself. All
// requests without the field or note have one key, and so have all clients of a socket with a path.
void append_key(std::string& to, const KeySource& source, Exchange& exchange);

}  // namespace sluice::limit
