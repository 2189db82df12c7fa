// The values of a module's own options, by the types that its table gives them. Pure. Any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "settings/option_values.h"

namespace sluice {

// The value that a person gave to a module's option, as a number (see Host::number); the error says what would
// be right.
Result<std::uint64_t> check_option(const OptionInfo& option, std::string_view value);

// The same of the value that the module itself has for it. There a duration may lack its unit: milliseconds, as
// the interface has it (OptionType::duration_ms).
Result<std::uint64_t> check_fallback(const OptionInfo& option);
// That value as a person would have to write it.
std::string readable_fallback(OptionType type, const std::string& fallback);

}  // namespace sluice
