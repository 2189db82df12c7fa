// Maps a shared object as code: from its file, or from memory if the file is on a noexec file system. Libraries
// on a noexec file system that it needs are mapped from memory, too.
#pragma once

#include <string>
#include <vector>

#include "base/code_in_memory.h"
#include "base/error.h"

namespace sluice {

// Whether the file system of `path` forbids mapping files as code.
bool is_noexec(const std::string& path);

// `handle` is for dlclose(3); `memory` has to live until then.
struct MappedCode {
  void* handle = nullptr;
  std::vector<CodeInMemory> memory;
};

// Runs the object's static constructors. `file` is its name in messages.
Result<MappedCode> map_code(const std::string& path, const std::string& file);

}  // namespace sluice
