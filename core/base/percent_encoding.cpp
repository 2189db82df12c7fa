#include "base/percent_encoding.h"

namespace sluice {
namespace {

// pchar of RFC 3986 section 3.3, and the slash.
bool stays_in_path(char byte) {
  if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')) return true;
  return std::string_view("-._~!$&'()*+,;=:@/").find(byte) != std::string_view::npos;
}

}  // namespace

void append_encoded(std::string& out, std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char byte : path) {
    if (stays_in_path(byte)) {
      out += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    out += '%';
    out += kDigits[value >> 4];
    out += kDigits[value & 15];
  }
}

}  // namespace sluice
