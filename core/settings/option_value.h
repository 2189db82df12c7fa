// The value of an option: the grammar of numbers, sizes, times and the like, and which of these the table of a
// module asks for. Pure. Any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice {

// "65536", "64k", "1M", "2G": bytes.
Result<std::uint64_t> parse_size(std::string_view text);

// "1500ms", "30s", "5m", "1h", "0": milliseconds. Everything but 0 needs its unit.
Result<std::uint64_t> parse_duration_ms(std::string_view text);

// "auto" (0) or 1 to 256.
Result<std::uint32_t> parse_workers(std::string_view text);

Result<LogLevel> parse_log_level(std::string_view text);

// on/off, true/false, yes/no, 1/0.
Result<bool> parse_flag(std::string_view text);

// The value that a person gave to a module's option, as a number (see Host::number); the error says what would
// be right.
Result<std::uint64_t> check_option(const OptionInfo& option, std::string_view value);

// The same of the value that the module itself has for it. There a duration may lack its unit: milliseconds, as
// the interface has it (OptionType::duration_ms).
Result<std::uint64_t> check_fallback(const OptionInfo& option);
// That value as a person would have to write it.
std::string readable_fallback(OptionType type, const std::string& fallback);

}  // namespace sluice
