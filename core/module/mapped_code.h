// A shared object mapped as code: from its own file, or, where that lies on a noexec file system, from memory,
// with the libraries there that it needs.
#pragma once

#include <string>
#include <vector>

#include "base/code_in_memory.h"
#include "base/error.h"

namespace sluice {

// Whether what lies there may not be mapped as code.
bool is_noexec(const std::string& path);

// For dlclose(3), after which the memory goes.
struct MappedCode {
  void* handle = nullptr;
  std::vector<CodeInMemory> memory;
};

// Runs its static constructors. `file` is what messages call it.
Result<MappedCode> map_code(const std::string& path, const std::string& file);

}  // namespace sluice
