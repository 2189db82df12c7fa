// Lays out text in columns for a terminal of 80 columns: the help and the table of modules. Pure functions.
// Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

inline constexpr std::size_t kTextWidth = 80;

// Writes control bytes as \xHH, as the log does.
std::string printable(std::string_view text);

// `head`, then `text` broken between words, with each line of it beginning at `column`. A head that reaches
// the column has a line of its own. Ends with a newline.
std::string hanging(std::string head, std::size_t column, std::string_view text);

}  // namespace sluice::cli
