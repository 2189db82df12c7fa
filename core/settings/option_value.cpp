#include "settings/option_value.h"

#include <fmt/core.h>
#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

// nullopt if the product does not fit.
std::optional<std::uint64_t> multiply(std::uint64_t value, std::uint64_t by) {
  if (value > std::numeric_limits<std::uint64_t>::max() / by) return std::nullopt;
  return value * by;
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// A number with one of the suffixes.
template <std::size_t Count>
std::optional<std::uint64_t> parse_scaled(std::string_view text, const Unit (&units)[Count]) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.suffix == text.substr(digits)) return multiply(*number, unit.factor);
  }
  return std::nullopt;
}

Unexpected bad_option(const OptionInfo& option, const std::string& why) {
  return fail(fmt::format("option {}: {}", option.name, why));
}

Result<std::uint64_t> check_choice(const OptionInfo& option, std::string_view value) {
  std::string_view left = option.choices != nullptr ? option.choices : "";
  std::string readable;
  for (std::uint64_t index = 0; !left.empty(); ++index) {
    const std::string_view choice = take_part(left, "|");
    if (choice == value && !choice.empty()) return index;
    readable += (readable.empty() ? "" : ", ") + std::string(choice);
  }
  return bad_option(option, fmt::format("'{}' is not among its choices: write one of {}", value, readable));
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t kKibi = 1024;
  constexpr Unit kUnits[] = {
      {"", 1},
      {"k", kKibi},
      {"K", kKibi},
      {"m", kKibi * kKibi},
      {"M", kKibi * kKibi},
      {"g", kKibi * kKibi * kKibi},
      {"G", kKibi * kKibi * kKibi},
  };
  const auto bytes = parse_scaled(text, kUnits);
  if (!bytes) return fail(in_quotes(text) + " is not a size: write bytes, as in 65536, 64k, 1M or 2G");
  return *bytes;
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  if (const auto bare = parse_decimal(text)) {
    // Other servers mean seconds by a bare number. An error is better than a guess.
    if (*bare == 0) return 0;
    const std::string digits(text);
    return fail(fmt::format("'{}' has no unit: write {}s or {}ms", text, digits, digits));
  }
  const auto duration_ms = parse_scaled(text, kUnits);
  if (!duration_ms)
    return fail(in_quotes(text) +
                " is not a time: write 500ms, 30s, 5m, 1h or 1d, as one whole number and its unit");
  return *duration_ms;
}

Result<std::uint32_t> parse_workers(std::string_view text) {
  if (text == "auto") return 0;
  const auto number = parse_decimal(text);
  if (!number || *number == 0 || *number > kWorkersMax) {
    return fail(
        fmt::format("'{}' is not a number of workers: write auto, or a number of 1 to {}", text, kWorkersMax));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return fail(in_quotes(text) + " is not a log level: write debug, info, warning or error");
}

Result<bool> parse_flag(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes" || text == "1") return true;
  if (text == "off" || text == "false" || text == "no" || text == "0") return false;
  return fail(in_quotes(text) + " is neither on nor off: write on or off, true or false, yes or no, 1 or 0");
}

Result<std::uint64_t> check_option(const OptionInfo& option, std::string_view value) {
  Result<std::uint64_t> number = 0;
  switch (option.type) {
    case OptionType::text:
    case OptionType::list:
      return 0;
    case OptionType::number:
      if (const auto decimal = parse_decimal(value)) return *decimal;
      return bad_option(option, in_quotes(value) + " is not a number: write 0 or more, in digits");
    case OptionType::size:
      number = parse_size(value);
      break;
    case OptionType::duration_ms:
      number = parse_duration_ms(value);
      break;
    case OptionType::flag:
      number = parse_flag(value).map([](bool on) { return std::uint64_t{on}; });
      break;
    case OptionType::choice:
      return check_choice(option, value);
  }
  if (!number) return bad_option(option, number.error().message);
  return number;
}

Result<std::uint64_t> check_fallback(const OptionInfo& option) {
  return check_option(option, readable_fallback(option.type, option.fallback));
}

std::string readable_fallback(OptionType type, const std::string& fallback) {
  const bool lacks_unit = type == OptionType::duration_ms && parse_decimal(fallback).value_or(0) != 0;
  return lacks_unit ? fallback + "ms" : fallback;
}

}  // namespace sluice
