#include "unquoted_value.h"

#include <vector>

#include "base/text.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kKeyBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

// Without a comment, which begins with '#' behind a blank.
std::string_view without_comment(std::string_view text) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t') return trimmed(text.substr(0, at));
  }
  return trimmed(text);
}

std::string in_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char byte : value) {
    if (byte == '"' || byte == '\\') text += '\\';
    text += byte;
  }
  return text + '"';
}

// "[::1]:8080" is one value: an IPv6 address begins with a bracket as well.
bool is_list(std::string_view value) {
  return value.size() > 1 && value.front() == '[' && value.back() == ']';
}

std::optional<std::string> quoted_list(std::string_view items) {
  std::string text = "[";
  bool all_quoted = true;
  while (!items.empty()) {
    const std::string_view item = trimmed(take_part(items, ","));
    if (item.empty()) return std::nullopt;
    const bool quoted = item.size() > 1 && item.front() == '"' && item.back() == '"';
    all_quoted = all_quoted && quoted;
    text += (text.size() > 1 ? ", " : "") + (quoted ? std::string(item) : in_quotes(item));
  }
  if (all_quoted) return std::nullopt;
  return text + "]";
}

}  // namespace

std::optional<std::string> with_quotes(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(line.substr(0, equals));
  const std::string_view value = without_comment(trimmed(line.substr(equals + 1)));
  if (key.empty() || key.find_first_not_of(kKeyBytes) != std::string_view::npos) return std::nullopt;
  if (value.empty() || value.front() == '"' || value.front() == '\'' || value.front() == '{')
    return std::nullopt;
  std::string written(key);
  written += " = ";
  if (!is_list(value)) return written + in_quotes(value);
  const auto list = quoted_list(value.substr(1, value.size() - 2));
  if (!list) return std::nullopt;
  return written + *list;
}

}  // namespace sluice::cli
