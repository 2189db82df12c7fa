// Reads the configuration file, which is written in TOML (toml.io): keys at top level, [[site]] tables with
// [[site.mount]] tables in them, and [[mount]] tables of the default site.
//
// This file knows the shape, but not what the keys mean. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "option_texts.h"

namespace sluice::cli {

// One key of a table, with its values as texts: a list has several.
struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;
  std::vector<std::string> places;  // of the values
  bool is_list = false;
  std::string place;  // of the key: "FILE:LINE:COLUMN", the beginning of an error
};

// A table [[mount]] or [[filter]].
struct ConfigMount {
  bool filter = false;
  std::vector<ConfigEntry> entries;
  std::string place;
};

struct ConfigSite {
  std::vector<ConfigEntry> entries;
  std::vector<ConfigMount> mounts;
  std::string place;
};

struct ConfigFile {
  ConfigSite server;  // the top level
  std::vector<ConfigSite> sites;
};

// `file` is the name for errors. The error has a line for each mistake.
Result<ConfigFile> parse_config(std::string_view text, const std::string& file);

// Reads a regular file of at most 1 MiB, so that reading it never blocks or takes all memory.
Result<ConfigFile> read_config_file(const std::string& file);

}  // namespace sluice::cli
