// Code in memory (memfd_create(2)) instead of in a file, since files on a noexec file system cannot be mapped
// as code. It has the file's name, so that /proc/self/maps names the file in either case. The dynamic linker
// knows it by its descriptor, "/proc/self/fd/N".
#pragma once

#include <cstddef>
#include <string>

#include "base/unique_fd.h"

namespace sluice {

class CodeInMemory {
 public:
  // Makes an empty one, to be written. If the system refuses, `fd` is -1, and errno says why.
  explicit CodeInMemory(std::string path);
  CodeInMemory(CodeInMemory&&) noexcept = default;
  CodeInMemory& operator=(CodeInMemory&&) = delete;
  // Code that is still mapped keeps its descriptor: other code with the same number would be taken for it.
  ~CodeInMemory();

  int fd() const { return fd_.get(); }
  // The name for dlopen(3).
  std::string name() const;

 private:
  std::string path_;
  UniqueFd fd_;
};

// Whether this system lets memory be mapped as code. A sysctl (vm.memfd_noexec) or a policy may forbid it.
bool memory_allows_code();
// Whether code of this file is mapped in the process.
bool is_mapped(const std::string& path);
// Writes the path of the file for the dynamic linker's name of its code, and returns the path's length; 0
// when the name is not that of code in memory. May be called in a signal handler.
std::size_t path_of_code(const char* name, char* path, std::size_t size);

}  // namespace sluice
