// What the modules of a folder say of themselves, found out in short-lived children, so that no module code
// runs here. Any thread of a process that has no other.
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

// What is known of one file of the folder. With an `error` it cannot be loaded, and only `file` is certain.
struct ModuleReport {
  std::string file;  // its name in the folder: "hello.so"
  std::string error;
  std::string name;
  std::string version;
  std::string summary;
  std::string default_mount;  // empty for none
  unsigned abi_major = 0;
  unsigned abi_minor = 0;
  std::vector<OptionReport> options;
};

// Describes every "*.so" of the folder, sorted by name, by the rules that a server has for them. Forks one
// child a file; blocks until they are done.
Result<std::vector<ModuleReport>> inspect_modules(const std::string& folder);

}  // namespace sluice
