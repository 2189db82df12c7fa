// One loaded shared object: checked, then dlopen'ed; dlclose'd when the last instance made from it is gone.
//
// Loading runs the module's static constructors. Owned by shared_ptr, so that the code outlives every object
// made from it. One thread at a time.
#pragma once

#include <sluice/abi.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "module/mapped_code.h"

namespace sluice {

class ModuleFile {
 public:
  // `path` is a private copy, loaded under no other name before; `file` is what messages call it.
  static Result<std::shared_ptr<ModuleFile>> load(const std::string& path, const std::string& file,
                                                  std::uint32_t generation = 1);
  ~ModuleFile();
  ModuleFile(const ModuleFile&) = delete;
  ModuleFile& operator=(const ModuleFile&) = delete;

  const ModuleInfo& info() const { return *info_; }
  const OptionInfo& option(std::uint32_t index) const;
  // It is not unloaded at its end, since its code may still run; the log says this reason, if there is one.
  void keep_mapped(const char* why) {
    kept_ = true;
    pinned_by_ = why;
  }
  std::uint32_t generation() const { return generation_; }

 private:
  ModuleFile(std::string path, std::string file, std::uint32_t generation, MappedCode code)
      : path_(std::move(path)), file_(std::move(file)), generation_(generation), code_(std::move(code)) {}

  std::string path_;
  std::string file_;
  std::uint32_t generation_;
  MappedCode code_;
  const ModuleInfo* info_ = nullptr;
  bool kept_ = false;
  const char* pinned_by_ = nullptr;  // what would keep it in memory, as far as the file tells
};

// Whether a module that says this of itself can be used by this server; the error says what to do.
Result<void> check_abi(const ModuleInfo& info, const std::string& file);

// Whether a module was refused with this sentence for what only another process has room for.
bool needs_fresh_process(const std::string& why);

// Whether the bytes begin an ELF shared object for this machine (elf(5)).
Result<void> check_elf(std::string_view head, const std::string& file);

}  // namespace sluice
