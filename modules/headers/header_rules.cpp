#include "headers/header_rules.h"

#include <fnmatch.h>

#include <algorithm>

#include "common/http/media_type.h"
#include "common/http/text.h"

namespace sluice::headers {
namespace {

using files::fits_type;
using files::trimmed;

constexpr std::string_view kForEver = "max-age=31536000, immutable";
constexpr std::size_t kHashMin = 8;

// What most pages need not be allowed, by OWASP's list of secure headers. A handler's own line goes first.
constexpr std::pair<std::string_view, std::string_view> kSecurity[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "SAMEORIGIN"},
    {"Referrer-Policy", "strict-origin-when-cross-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin-allow-popups"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

bool fits_status(std::string_view pattern, std::uint32_t status) {
  const std::string text = std::to_string(status);
  return pattern == text || (pattern.size() == 3 && pattern.substr(1) == "xx" && pattern[0] == text[0]);
}

template <typename Items, typename Fits>
bool none_or_any(const Items& items, Fits fits) {
  return items.empty() || std::any_of(items.begin(), items.end(), fits);
}

bool is_hash(std::string_view text) {
  if (text.size() < kHashMin) return false;
  bool digit = false;
  bool lower = false;
  bool upper = false;
  bool hexadecimal = true;
  for (const char byte : text) {
    const bool is_lower = byte >= 'a' && byte <= 'z';
    const bool is_upper = byte >= 'A' && byte <= 'Z';
    if (!is_lower && !is_upper && !files::is_digit(byte)) return false;
    digit = digit || files::is_digit(byte);
    lower = lower || is_lower;
    upper = upper || is_upper;
    hexadecimal = hexadecimal && !(byte >= 'g' && byte <= 'z') && !is_upper;
  }
  return digit && lower && (hexadecimal || upper);
}

}  // namespace

std::optional<Line> parse_line(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = trimmed(text.substr(0, colon));
  if (colon == std::string_view::npos || name.empty()) return std::nullopt;
  return Line(name, trimmed(text.substr(colon + 1)));
}

bool has_content_hash(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view stem = name.substr(0, dot);
  const std::size_t before = stem.find_last_of(".-_");
  return before != std::string_view::npos && before > 0 && is_hash(stem.substr(before + 1));
}

bool Condition::holds_for(const Request& request) const {
  if (paths.empty()) return true;
  const std::string below(std::string_view(request.path));
  const std::string whole = std::string(std::string_view(request.mount)) + below;
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), (pattern.starts_with('/') ? whole : below).c_str(), 0) == 0;
  });
}

bool Condition::holds_for(const AnswerHead& head) const {
  const Bytes type = head.field("Content-Type");
  return none_or_any(types, [&](const std::string& pattern) { return fits_type(pattern, type); }) &&
         none_or_any(statuses, [&](const std::string& pattern) { return fits_status(pattern, head.status()); });
}

// A 304 has no type of its own, and what it says replaces what the cache has kept from the 200 (RFC 9111
// section 4.3.4): without a type nothing is said. A handler that forbids caches to keep its answer knows why.
void HeaderRules::say_how_long(std::string_view path, AnswerHead& head) const {
  const std::uint32_t status = head.status();
  const std::string type{std::string_view(head.field("Content-Type"))};  // the view ends with the next change
  if ((status != 200 && status != 206) || type.empty() || type.starts_with("multipart/")) return;
  for (const std::string_view word : {"no-store", "private"}) {
    if (std::string_view(head.field("Cache-Control")).find(word) != std::string_view::npos) return;
  }
  const auto rule =
      std::find_if(cache.begin(), cache.end(), [&](const CacheRule& one) { return fits_type(one.type, type); });
  if (rule != cache.end()) head.set("Cache-Control", rule->value);
  // A page may be a fallback, which has other content at each name.
  if (hashed && has_content_hash(path) && !fits_type("text/html", type)) head.set("Cache-Control", kForEver);
}

void HeaderRules::apply(const Request& request, AnswerHead& head) const {
  if (!condition.holds_for(request) || !condition.holds_for(head)) return;
  for (const auto& [name, value] : kSecurity) {
    if (security && head.field(name).size == 0) head.set(name, value);
  }
  say_how_long(request.path, head);
  for (const std::string& name : remove) head.remove(name);
  for (const auto& [name, value] : set) head.set(name, value);
  for (const auto& [name, value] : add) head.add(name, value);
}

}  // namespace sluice::headers
