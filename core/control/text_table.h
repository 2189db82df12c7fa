// Tables of text for people: cells in columns. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

using TextRow = std::vector<std::string>;

// A line for each row, with two blanks at least between the columns. REQUIRES: all rows have the same number of
// cells.
std::string text_table(const std::vector<TextRow>& rows);

// The two largest units: "3d 4h", "12s".
std::string duration_text(std::uint64_t duration_ms);

// The first ones, and how many more there are.
std::string some_names(const std::vector<std::string>& names);

}  // namespace sluice
