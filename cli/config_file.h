// Reads the configuration file: `key = value` lines at top level, `#` or `;` before a comment.
//
// A value may stand in double quotes, in which \" is a quote, \\ a backslash, and any other backslash itself; a
// list is a key that is repeated, or ["a", "b"] on one line. What the keys mean is not known here. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice::cli {

struct ConfigLine {
  std::size_t number = 0;  // from 1
  std::string key;
  std::vector<std::string> values;
};

// "FILE:LINE", as errors begin.
std::string place(const std::string& file, std::size_t line);

// `file` is the name that errors show.
Result<std::vector<ConfigLine>> parse_config(std::string_view text, const std::string& file);

// A regular file of at most 1 MiB, so that reading it again never blocks or grows without end.
Result<std::vector<ConfigLine>> read_config_file(const std::string& file);

}  // namespace sluice::cli
