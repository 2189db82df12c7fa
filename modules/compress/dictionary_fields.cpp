#include "compress/dictionary_fields.h"

#include <algorithm>
#include <cstdint>

#include "common/files/releases.h"
#include "common/http/quality_list.h"
#include "common/http/text.h"

namespace sluice::compress {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kHashDigits = 43;  // of base64, without the padding
constexpr std::size_t kTargetMax = 512;

// What URLs have only in coded form, or what has a meaning outside of paths.
bool is_in_no_path(char byte) {
  constexpr std::string_view kCoded = "\"#<>\\`{}";
  return byte <= ' ' || byte > '~' || kCoded.find(byte) != std::string_view::npos;
}

// Without a backslash these have a meaning in patterns.
std::string as_pattern(std::string_view path) {
  constexpr std::string_view kMeaning = "()*+:";
  std::string pattern;
  for (const char byte : path) {
    if (kMeaning.find(byte) != std::string_view::npos) pattern += '\\';
    pattern += byte;
  }
  return pattern;
}

}  // namespace

std::string available_dictionary(const Request& request) {
  const Field* found = nullptr;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (!files::equals_ignoring_case(request.fields[i].name, "available-dictionary")) continue;
    if (found != nullptr) return {};
    found = &request.fields[i];
  }
  if (found == nullptr) return {};
  std::string_view text = files::trimmed(found->value);
  if (text.size() < 2 || !text.starts_with(':') || !text.ends_with(':')) return {};
  text = text.substr(1, text.size() - 2);
  if (text.ends_with('=')) text.remove_suffix(1);  // parsers take it without the padding, too
  if (text.size() != kHashDigits) return {};
  std::string hash;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : text) {
    const std::size_t value = kBase64.find(digit);
    if (value == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    hash += static_cast<char>(bits >> count & 0xff);
  }
  return hash;
}

std::string short_hash(std::string_view hash) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string digits;
  for (const char byte : hash.substr(0, 8)) {
    digits += kHex[static_cast<unsigned char>(byte) >> 4];
    digits += kHex[static_cast<unsigned char>(byte) & 15];
  }
  return digits;
}

bool accepts_dcz(const Request& request) {
  unsigned own = files::kFullWeight;
  unsigned best = 0;
  bool is_named = false;
  files::for_each_weighted(request, FieldId::accept_encoding, [&](const files::WeightedMember& member) {
    if (!member.weight || member.has_parameters) return;
    if (files::equals_ignoring_case(member.name, "dcz")) {
      is_named = true;
      own = std::min(own, *member.weight);
    } else {
      best = std::max(best, *member.weight);
    }
  });
  return is_named && own > 0 && own >= best;
}

std::string dictionary_pattern(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  // Behind two slashes stands the name of a host.
  if (path.size() > kTargetMax || !path.starts_with('/') || path.starts_with("//") ||
      std::any_of(path.begin(), path.end(), is_in_no_path))
    return {};
  const std::string_view hash = files::hash_in_name(path);
  if (hash.empty()) return as_pattern(path);
  const auto begin = static_cast<std::size_t>(hash.data() - path.data());
  const std::string_view before = path.substr(0, begin);
  // A name that is nothing but a hash has no later version.
  if (before.ends_with('/')) return as_pattern(path);
  return as_pattern(before) + "*" + as_pattern(path.substr(begin + hash.size()));
}

// A string of RFC 9651 section 3.3.3.
std::string use_as_dictionary(std::string_view pattern) {
  std::string value = "match=\"";
  for (const char byte : pattern) {
    if (byte == '\\') value += '\\';
    value += byte;
  }
  return value + '"';
}

}  // namespace sluice::compress
