// How numbers in options are read and written: counts, sizes and times. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "settings/option_value.h"
#include "settings/written_text.h"

namespace sluice::cli {

inline constexpr std::uint64_t kKibi = 1024;
inline constexpr std::uint64_t kMebi = 1024 * kKibi;
inline constexpr std::uint64_t kGibi = 1024 * kMebi;
inline constexpr std::uint64_t kHourMs = 3'600'000;

inline std::string print_count(std::uint64_t value) {
  return std::to_string(value);
}

inline std::string print_size(std::uint64_t bytes) {
  if (bytes != 0 && bytes % kGibi == 0) return std::to_string(bytes / kGibi) + "G";
  if (bytes != 0 && bytes % kMebi == 0) return std::to_string(bytes / kMebi) + "M";
  if (bytes != 0 && bytes % kKibi == 0) return std::to_string(bytes / kKibi) + "k";
  return std::to_string(bytes);
}

inline std::string print_duration(std::uint64_t duration_ms) {
  if (duration_ms == 0) return "0";
  if (duration_ms % kHourMs == 0) return std::to_string(duration_ms / kHourMs) + "h";
  if (duration_ms % 1000 == 0) return std::to_string(duration_ms / 1000) + "s";
  return std::to_string(duration_ms) + "ms";
}

inline Result<std::uint64_t> parse_count(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value) return fail(in_quotes(text) + " is not a number: write it in digits");
  return *value;
}

// How numbers of one kind are read and written.
struct NumberKind {
  Result<std::uint64_t> (*parse)(std::string_view text);
  std::string (*print)(std::uint64_t value);
};
inline constexpr NumberKind kCount{parse_count, print_count};
inline constexpr NumberKind kSize{parse_size, print_size};
inline constexpr NumberKind kDuration{parse_duration_ms, print_duration};

}  // namespace sluice::cli
