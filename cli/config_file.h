// Reads the configuration file: `key = value` lines at top level, `#` or `;` before a comment.
//
// A value may stand in double quotes. There \" is a quote, \\ a backslash, and any other backslash is itself.
// A list is a repeated key, or ["a", "b"] on one line. This file does not know what the keys mean. Any
// thread.
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

// "FILE:LINE", the beginning of an error.
std::string place(const std::string& file, std::size_t line);

// `file` is the name for errors.
Result<std::vector<ConfigLine>> parse_config(std::string_view text, const std::string& file);

// Reads a regular file of at most 1 MiB, so that reading it never blocks or takes all memory.
Result<std::vector<ConfigLine>> read_config_file(const std::string& file);

}  // namespace sluice::cli
