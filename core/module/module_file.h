// One loaded shared object. It is checked before dlopen(3), and dlclose'd when the last instance made from it
// is gone.
//
// Loading runs the module's static constructors. A shared_ptr owns it, so the code outlives every object made
// from it. One thread at a time.
#pragma once

#include <sluice/abi.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "module/mapped_code.h"

namespace sluice {

using FilterMaker = decltype(ModuleInfo::create_filter);

class ModuleFile {
 public:
  // `path` is a private copy that was not loaded by another name before. `file` is the module's name in
  // messages, and `folder` the one that it is from.
  static Result<std::shared_ptr<ModuleFile>> load(const std::string& path, const std::string& file,
                                                  std::uint32_t generation = 1, std::string folder = {});
  ~ModuleFile();
  ModuleFile(const ModuleFile&) = delete;
  ModuleFile& operator=(const ModuleFile&) = delete;

  const ModuleInfo& info() const { return *info_; }
  const OptionInfo& option(std::uint32_t index) const;
  // Null if the module is no filter.
  FilterMaker filter_maker() const;
  bool is_handler() const { return info_->create != nullptr; }
  // The destructor then leaves the module in memory, because its code may still run. It logs `why`, if not
  // null.
  void keep_mapped(const char* why) {
    kept_ = true;
    pinned_by_ = why;
  }
  std::uint32_t generation() const { return generation_; }
  const std::string& folder() const { return folder_; }

 private:
  ModuleFile(std::string path, std::string file, std::uint32_t generation, MappedCode code)
      : path_(std::move(path)), file_(std::move(file)), generation_(generation), code_(std::move(code)) {}

  std::string path_;
  std::string file_;
  std::uint32_t generation_;
  std::string folder_;
  MappedCode code_;
  const ModuleInfo* info_ = nullptr;
  bool kept_ = false;
  const char* pinned_by_ = nullptr;  // why it stays in memory, as far as its file shows; else null
};

// Whether this server can use a module with this ModuleInfo. The error says what to do.
Result<void> check_abi(const ModuleInfo& info, const std::string& file);

// Whether the error `why` of load() means that this process has no static TLS left. A new process has.
bool needs_fresh_process(const std::string& why);

// Whether the bytes begin an ELF shared object for this machine (elf(5)).
Result<void> check_elf(std::string_view head, const std::string& file);

}  // namespace sluice
