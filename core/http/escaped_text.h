// Appends texts whose special bytes are escaped, and numbers. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Printable ASCII, without '"' and '\\'.
constexpr bool is_plain_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

// Appends each byte that is not plain by `escape`, and the others as they are.
template <typename Escape>
void append_with_escapes(std::string& out, std::string_view text, Escape escape) {
  for (auto at = text.begin(); at != text.end();) {
    const auto special = std::find_if_not(at, text.end(), [](char c) { return is_plain_byte(c); });
    out.append(at, special);
    at = special;
    if (at != text.end()) escape(static_cast<unsigned char>(*at++));
  }
}

inline void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

}  // namespace sluice
