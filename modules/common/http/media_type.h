// Patterns of media types, as people write them in options: "text/html", "image/*", or "*". Pure functions, any
// thread.
#pragma once

#include <string_view>

#include "common/http/text.h"

namespace sluice::files {

// "text/html; charset=utf-8" without its parameters.
constexpr std::string_view without_parameters(std::string_view type) {
  return trimmed(type.substr(0, type.find(';')));
}

// Whether a type, with or without parameters, fits the pattern.
constexpr bool fits_type(std::string_view pattern, std::string_view type) {
  type = without_parameters(type);
  if (pattern == "*") return true;
  if (!pattern.ends_with("/*")) return equals_ignoring_case(pattern, type);
  const std::string_view group = pattern.substr(0, pattern.size() - 1);
  return equals_ignoring_case(group, type.substr(0, group.size()));
}

constexpr bool is_type_pattern(std::string_view text) {
  const std::size_t slash = text.find('/');
  const bool is_whole =
      slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() && text != "*/*";
  return text == "*" || is_whole;
}

}  // namespace sluice::files
