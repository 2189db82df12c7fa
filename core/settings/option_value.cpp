#include "settings/option_value.h"

#include <algorithm>

namespace sluice {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

Unexpected bad_option(const OptionInfo& option, const std::string& why) {
  return fail("option " + std::string(option.name) + ": " + why);
}

Result<std::uint64_t> check_choice(const OptionInfo& option, std::string_view value) {
  const std::string_view all = option.choices != nullptr ? option.choices : "";
  std::uint64_t index = 0;
  std::string readable;
  for (std::size_t start = 0; start <= all.size(); ++index) {
    const std::size_t end = std::min(all.find('|', start), all.size());
    const std::string_view choice = all.substr(start, end - start);
    if (choice == value && !choice.empty()) return index;
    readable += (readable.empty() ? "" : ", ") + std::string(choice);
    start = end + 1;
  }
  return bad_option(option, quoted(value) + " is not among its choices: write one of " + readable);
}

}  // namespace

Result<std::uint64_t> check_option(const OptionInfo& option, std::string_view value) {
  Result<std::uint64_t> number = 0;
  switch (option.type) {
    case OptionType::text:
      return 0;
    case OptionType::number:
      if (const auto decimal = parse_decimal(value)) return *decimal;
      return bad_option(option, quoted(value) + " is no number: write 0 or more, in digits");
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
