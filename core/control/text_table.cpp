#include "control/text_table.h"

#include <fmt/core.h>
#include <algorithm>

namespace sluice {
namespace {

constexpr std::uint64_t kSecondMs = 1000;
constexpr std::uint64_t kMinuteMs = 60 * kSecondMs;
constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
constexpr std::uint64_t kDayMs = 24 * kHourMs;

}  // namespace

std::string duration_text(std::uint64_t duration_ms) {
  const auto two = [&](std::uint64_t large, const char* large_name, std::uint64_t small,
                       const char* small_name) {
    return std::to_string(duration_ms / large) + large_name + " " +
           std::to_string(duration_ms % large / small) + small_name;
  };
  if (duration_ms >= kDayMs) return two(kDayMs, "d", kHourMs, "h");
  if (duration_ms >= kHourMs) return two(kHourMs, "h", kMinuteMs, "m");
  if (duration_ms >= kMinuteMs) return two(kMinuteMs, "m", kSecondMs, "s");
  return std::to_string(duration_ms / kSecondMs) + "s";
}

std::string text_table(const std::vector<TextRow>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const TextRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const TextRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] + 2 - row[i].size(), ' ');
    }
    text += '\n';
  }
  return text;
}

std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) text += fmt::format(", and {} more", names.size() - kShown);
  return text;
}

}  // namespace sluice
