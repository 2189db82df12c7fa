// The known word that a person most likely meant. Pure. Any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::cli {

// The known word with the fewest letters added, removed or replaced; none when all of them are far off.
std::optional<std::string_view> nearest_word(std::string_view word, const std::vector<std::string_view>& known);

// The same, or else the known word for what other servers call `word`. Both without dashes before them.
std::optional<std::string_view> likely_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace sluice::cli
