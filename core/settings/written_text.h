// Quotes text that a person has written, for error sentences. Pure. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

inline std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

constexpr bool is_control_byte(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

}  // namespace sluice
