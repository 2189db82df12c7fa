#include "http/authority.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::array<bool, 256> make_name_table() {
  std::array<bool, 256> table{};
  // unreserved and sub-delims (RFC 3986 section 2), but no comma, which would make the field a list
  for (const char c :
       std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+;=")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto kNameBytes = make_name_table();

bool is_port(std::string_view text) {
  return text.empty() || parse_decimal(text).value_or(65536) <= 65535;
}

bool is_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
      i += 2;
    } else if (!kNameBytes[static_cast<unsigned char>(text[i])]) {
      return false;
    }
  }
  return true;
}

// IPvFuture of RFC 3986 section 3.2.2: "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
bool is_later_address(std::string_view text) {
  if (text.empty() || (text.front() != 'v' && text.front() != 'V')) return false;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot < 2 || dot + 1 == text.size()) return false;
  const auto is_hex = [](char c) { return hex_value(c) >= 0; };
  const auto fits = [](char c) { return c == ':' || kNameBytes[static_cast<unsigned char>(c)]; };
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(dot), is_hex) &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(dot) + 1, text.end(), fits);
}

bool is_ipv6(std::string_view text) {
  // inet_pton(3) stops at a NUL.
  const auto fits = [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; };
  if (!std::all_of(text.begin(), text.end(), fits)) return false;
  in6_addr address{};
  return ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

}  // namespace

bool is_host_field(std::string_view text) {
  return text.empty() || is_authority(text);
}

bool is_authority(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (!is_ipv6(address) && !is_later_address(address)) return false;
    const std::string_view rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  return !name.empty() && is_name(name) && (colon == text.size() || is_port(text.substr(colon + 1)));
}

std::string_view host_of(std::string_view text) {
  const std::size_t end = text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  return text.substr(0, end);
}

}  // namespace sluice
