// Reads the descriptions of modules in short-lived children, so that no module code runs in the
// caller. For processes with a single thread.
#pragma once

#include <sluice/abi.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace sluice {

struct OptionReport {
  std::string name;
  OptionType type = OptionType::text;
  std::string fallback;
  std::string help;
  std::string choices;
};

// The description of one file. If `error` is not empty, the file cannot be loaded, and only `file` is set.
struct ModuleReport {
  std::string file;  // its name in the folder: "hello.so"
  std::string folder;
  std::string error;
  std::string name;
  std::string version;
  std::string summary;
  std::string default_mount;  // empty for none
  bool is_filter = false;
  unsigned abi_major = 0;
  unsigned abi_minor = 0;
  std::vector<OptionReport> options;
};

// Describes every "*.so" of the folders that no other one hides, sorted by name. Files that a server would
// refuse get an error. Forks one child for each file, and blocks until all are done.
Result<std::vector<ModuleReport>> inspect_modules(const std::vector<std::string>& folders);

}  // namespace sluice
