// Finds the known word that a person most likely meant. Pure. Any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::cli {

// The known word with the fewest letters added, removed or replaced; none when all of them differ too much.
std::optional<std::string_view> nearest_word(std::string_view word, const std::vector<std::string_view>& known);

// As nearest_word, or else the known word for the name that other servers use. Neither has leading dashes.
std::optional<std::string_view> likely_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace sluice::cli
