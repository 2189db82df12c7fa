// Code that lies in memory (memfd_create(2)) instead of in a file, which a noexec file system would keep from
// being mapped. It is called as the file is, so /proc/self/maps names the file in either case; the dynamic
// linker calls it by its descriptor, "/proc/self/fd/N".
#pragma once

#include <cstddef>
#include <string>

#include "base/unique_fd.h"

namespace sluice {

class CodeInMemory {
 public:
  // Empty, to be written. Where the system refuses it, `fd` is -1, and errno says why.
  explicit CodeInMemory(std::string path);
  CodeInMemory(CodeInMemory&&) noexcept = default;
  CodeInMemory& operator=(CodeInMemory&&) = delete;
  // What is still mapped keeps its descriptor: code under the same number would be taken for it.
  ~CodeInMemory();

  int fd() const { return fd_.get(); }
  // What dlopen(3) finds it by.
  std::string name() const;

 private:
  std::string path_;
  UniqueFd fd_;
};

// Whether this system lets memory be mapped as code, which a sysctl (vm.memfd_noexec) or a policy may forbid.
bool memory_allows_code();
// Whether code of this file is in the process.
bool is_mapped(const std::string& path);
// Writes the path of the file whose code the dynamic linker calls so, and returns its length; 0 when that is no
// code in memory. May be called in a signal handler.
std::size_t path_of_code(const char* name, char* path, std::size_t size);

}  // namespace sluice
