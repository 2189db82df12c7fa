#include "access/basic_credentials.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "common/http/text.h"

namespace sluice::access {
namespace {

constexpr std::string_view kScheme = "basic";
constexpr std::size_t kPasswordMax = 512;  // of crypt(3)
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648 section 4, with its padding.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : text) {
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

// Null if there is none, or more than one: who comes later might take another one of them.
const Field* find_authorization(const Request& request) {
  const Field* found = nullptr;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (!files::equals_ignoring_case(request.fields[i].name, "authorization")) continue;
    if (found != nullptr) return nullptr;
    found = &request.fields[i];
  }
  return found;
}

}  // namespace

std::optional<Credentials> basic_credentials(const Request& request) {
  const Field* field = find_authorization(request);
  if (field == nullptr) return std::nullopt;
  std::string_view value = field->value;
  if (!files::equals_ignoring_case(files::take_part(value, ' '), kScheme)) return std::nullopt;
  const std::optional<std::string> both = decode_base64(files::trimmed(value));
  if (!both || std::any_of(both->begin(), both->end(), is_control)) return std::nullopt;
  const std::size_t colon = both->find(':');
  if (colon == std::string::npos || both->size() - colon - 1 > kPasswordMax) return std::nullopt;
  return Credentials{both->substr(0, colon), both->substr(colon + 1)};
}

}  // namespace sluice::access
