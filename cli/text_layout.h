// Text in columns for a terminal of 80 columns: the help and the table of modules are laid out by it.
// Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

inline constexpr std::size_t kTextWidth = 80;

// Control bytes as \xHH, the way the log writes them.
std::string printable(std::string_view text);

// `head`, then `text` broken between words, each of its lines beginning at `column`. A head that reaches the
// column has a line to itself. Ends with a newline.
std::string hanging(std::string head, std::size_t column, std::string_view text);

}  // namespace sluice::cli
