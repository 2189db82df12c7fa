// Bytes that nobody else may see: private keys. They are in no core dump, and are overwritten before their
// memory is given back.
//
// Owns its pages. Read-only once made. Any thread; a forked process has a copy.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace sluice {

class SecretBytes {
 public:
  // All bytes are 0.
  static Result<SecretBytes> make(std::size_t size) {
    void* memory = ::mmap(nullptr, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail_errno("there is no memory for a private key", errno);
    ::madvise(memory, size + 1, MADV_DONTDUMP);
    return SecretBytes(static_cast<char*>(memory), size);
  }
  SecretBytes(SecretBytes&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&&) = delete;
  ~SecretBytes() {
    if (bytes_ == nullptr) return;
    ::explicit_bzero(bytes_, size_);
    ::munmap(bytes_, size_ + 1);
  }

  char* data() { return bytes_; }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  SecretBytes(char* bytes, std::size_t size) : bytes_(bytes), size_(size) {}

  char* bytes_;
  std::size_t size_;
};

}  // namespace sluice
