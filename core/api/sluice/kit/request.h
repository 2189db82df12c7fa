// What a request says: parameters of its query, cookies, fields, media type, and numbers in texts.
//
// Clients write all of this, so everything is judged strictly, and a text that breaks the grammar gives
// nothing. Views live as long as the request does. No state; any thread.
#pragma once

#include <sluice/abi.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

// A decimal number of digits alone: no sign, no white space, nothing behind it. Nothing if it is above `max`.
inline std::optional<std::uint64_t> number(std::string_view text,
                                           std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char byte : text) {
    if (byte < '0' || byte > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(byte - '0');
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

namespace detail {

inline char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

inline bool same_letters(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

inline int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const char letter = lower(byte);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// RFC 9110 section 5.6.2.
inline bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char byte) {
    const char letter = lower(byte);
    return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
           kOthers.find(byte) != std::string_view::npos;
  });
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the next `mark` from the front of `text`, and the mark.
inline std::string_view take_until(std::string_view& text, char mark) {
  const std::string_view piece = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(text.size(), piece.size() + 1));
  return piece;
}

}  // namespace detail

// Decodes %41 to "A" and '+' to a space, as forms write them. Nothing if two hex digits do not follow a '%'.
inline std::optional<std::string> form_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? detail::hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? detail::hex_digit(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// What a path of a URI has for this text: all bytes but letters, digits, "-._~" and '/' are escaped. `param`
// and other texts that were decoded stand in a target only so. It keeps segments "..", which no path of a
// request has, but other texts may.
inline std::string path_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kOthers = "-._~/";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char byte : text) {
    const char letter = detail::lower(byte);
    if ((letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') ||
        kOthers.find(byte) != std::string_view::npos) {
      encoded += byte;
    } else {
      const auto code = static_cast<unsigned char>(byte);
      encoded += {'%', kHex[code >> 4], kHex[code & 15]};
    }
  }
  return encoded;
}

// The same for one segment of a path: '/' is escaped, too. Throws std::invalid_argument for "." and "..", which
// would lead elsewhere, and for an empty text.
inline std::string segment_encoded(std::string_view text) {
  if (text.empty() || text == "." || text == "..")
    throw std::invalid_argument("a segment of a path is neither empty nor '.' nor '..'");
  std::string encoded = path_encoded(text);
  for (std::size_t at = 0; (at = encoded.find('/', at)) != std::string::npos; at += 3)
    encoded.replace(at, 1, "%2F");
  return encoded;
}

// Names and values, decoded, in the order in which they were sent; a name may come several times.
class Parameters {
 public:
  static constexpr std::size_t kCountMax = 256;

  // Reads "q=a+b&page=2": a query, or the content of a form (application/x-www-form-urlencoded). A name without
  // '=' has an empty value. Nothing if an escape is not valid or there are more than `count_max` of them.
  static std::optional<Parameters> parse(std::string_view text, std::size_t count_max = kCountMax) {
    Parameters parsed;
    while (!text.empty()) {
      std::string_view value = detail::take_until(text, '&');
      if (value.empty()) continue;
      if (parsed.pairs_.size() == count_max) return std::nullopt;
      auto name = form_decoded(detail::take_until(value, '='));
      auto decoded = form_decoded(value);
      if (!name || !decoded) return std::nullopt;
      parsed.pairs_.emplace_back(std::move(*name), std::move(*decoded));
    }
    return parsed;
  }

  // The first value of that name; null without one.
  const std::string* find(std::string_view name) const {
    const auto found =
        std::find_if(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == name; });
    return found == pairs_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [other, value] : pairs_) {
      if (other == name) values.push_back(value);
    }
    return values;
  }
  std::size_t size() const { return pairs_.size(); }
  auto begin() const { return pairs_.begin(); }
  auto end() const { return pairs_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// The value of the first field with that name, in any case of letters.
inline std::optional<std::string_view> field(const Request& request, std::string_view name) {
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (detail::same_letters(request.fields[i].name, name)) return std::string_view(request.fields[i].value);
  }
  return std::nullopt;
}

inline std::optional<std::string_view> field(const Request& request, FieldId id) {
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (request.fields[i].id == id) return std::string_view(request.fields[i].value);
  }
  return std::nullopt;
}

// The value of the first cookie with that name (RFC 6265 section 4.2.1), without quotes around it. Nothing if
// the value has bytes that no cookie may have.
inline std::optional<std::string_view> cookie(const Request& request, std::string_view name) {
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (!detail::same_letters(request.fields[i].name, "cookie")) continue;
    std::string_view text = request.fields[i].value;
    while (!text.empty()) {
      std::string_view value = detail::trimmed(detail::take_until(text, ';'));
      if (value.find('=') == std::string_view::npos || detail::take_until(value, '=') != name) continue;
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      const bool is_valid = std::all_of(value.begin(), value.end(), [](char byte) {
        return byte > ' ' && byte < '\x7f' && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
      });
      return is_valid ? std::optional(value) : std::nullopt;
    }
  }
  return std::nullopt;
}

// "text/html" of "Text/HTML; charset=utf-8" (RFC 9110 section 8.3.1); empty if that is no media type.
inline std::string media_type(std::string_view content_type) {
  std::string_view subtype = detail::trimmed(detail::take_until(content_type, ';'));
  const std::string_view type = detail::take_until(subtype, '/');
  if (!detail::is_token(type) || !detail::is_token(subtype)) return {};
  std::string text = std::string(type) + "/" + std::string(subtype);
  std::transform(text.begin(), text.end(), text.begin(), detail::lower);
  return text;
}

// Of the request's content; empty without one.
inline std::string media_type(const Request& request) {
  return media_type(field(request, "content-type").value_or(std::string_view()));
}

// The value of a parameter, as `boundary` of "multipart/form-data; boundary=x". Nothing if it is missing, or if
// the parameters before it are not written as RFC 9110 section 5.6.6 says.
inline std::optional<std::string> media_parameter(std::string_view content_type, std::string_view name) {
  detail::take_until(content_type, ';');
  while (!content_type.empty()) {
    const bool has_value = content_type.find('=') < content_type.find(';');
    const std::string_view key = detail::trimmed(detail::take_until(content_type, has_value ? '=' : ';'));
    if (!has_value && key.empty()) continue;
    if (!has_value || !detail::is_token(key)) return std::nullopt;
    std::string value;
    if (content_type.starts_with('"')) {
      std::size_t at = 1;
      for (; at < content_type.size() && content_type[at] != '"'; ++at) {
        if (content_type[at] == '\\' && ++at == content_type.size()) return std::nullopt;
        value += content_type[at];
      }
      if (at >= content_type.size()) return std::nullopt;
      content_type.remove_prefix(at + 1);
      if (!detail::trimmed(detail::take_until(content_type, ';')).empty()) return std::nullopt;
    } else {
      value = detail::trimmed(detail::take_until(content_type, ';'));
      if (!detail::is_token(value)) return std::nullopt;
    }
    if (detail::same_letters(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace sluice::kit
