// The folder of modules as the supervisor sees it: which files there are, private copies of them under unique
// names, and what each says of itself, found out in a short-lived child so that no module code runs here.
//
// INVARIANT: a file is only ever loaded from its private copy, so overwriting the original changes no mapping.
#pragma once

#include <sluice/abi.h>

#include <memory>
#include <string>
#include <vector>

#include "error.h"

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

// A file of the folder, and its private copy.
struct ModuleCopy {
  std::string file;  // "hello.so"
  std::string path;
};

// The copies that were made at one time, removed with this. A process that has loaded one keeps its mapping.
class ModuleCopies {
 public:
  explicit ModuleCopies(std::string folder) : folder_(std::move(folder)) {}
  ~ModuleCopies();
  ModuleCopies(const ModuleCopies&) = delete;
  ModuleCopies& operator=(const ModuleCopies&) = delete;

  std::vector<ModuleCopy> all;  // sorted by file

 private:
  std::string folder_;
};

// A private folder for copies of modules, removed with everything in it at the end. One thread.
class ModuleStore {
 public:
  static Result<std::unique_ptr<ModuleStore>> create();
  ~ModuleStore();
  ModuleStore(const ModuleStore&) = delete;
  ModuleStore& operator=(const ModuleStore&) = delete;

  // Copies every "*.so" of the folder under names never used before.
  Result<std::unique_ptr<ModuleCopies>> copy_all(const std::string& folder);

 private:
  explicit ModuleStore(std::string path) : path_(std::move(path)) {}

  std::string path_;
  unsigned generation_ = 0;
};

// Describes every "*.so" of the folder, sorted by name. Forks one child a file; blocks until they are done.
Result<std::vector<ModuleReport>> inspect_modules(const std::string& folder);

}  // namespace sluice
