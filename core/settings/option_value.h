// Parses values of options: numbers, sizes, times and the like, also by the type in a module's table of
// options. Pure. Any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice {

// "65536", "64k", "1M", "2G": bytes.
Result<std::uint64_t> parse_size(std::string_view text);

// "1500ms", "30s", "5m", "1h", "1d", "0": milliseconds. Everything but 0 needs its unit.
Result<std::uint64_t> parse_duration_ms(std::string_view text);

inline constexpr std::uint32_t kWorkersMax = 256;

// "auto" (0) or 1 to kWorkersMax.
Result<std::uint32_t> parse_workers(std::string_view text);

Result<LogLevel> parse_log_level(std::string_view text);

// on/off, true/false, yes/no, 1/0.
Result<bool> parse_flag(std::string_view text);

// The value that a person gave to a module's option, as a number (see Host::number). The error says what to
// write.
Result<std::uint64_t> check_option(const OptionInfo& option, std::string_view value);

// The same for the module's own default. In it a duration may lack its unit, and then counts milliseconds
// (OptionType::duration_ms).
Result<std::uint64_t> check_fallback(const OptionInfo& option);
// The default as a person would have to write it.
std::string readable_fallback(OptionType type, const std::string& fallback);

}  // namespace sluice
