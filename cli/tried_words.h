// Words and options that people try because other servers have them, and what to write in their place. Pure.
// Any thread.
#pragma once

#include <optional>
#include <string_view>

namespace sluice::cli {

// What to do, as the rest of a sentence; none for other words. The word has no leading dashes.
std::optional<std::string_view> advice_on_command(std::string_view word);
// The same for an option of `sluice serve`.
std::optional<std::string_view> advice_on_option(std::string_view word);

}  // namespace sluice::cli
