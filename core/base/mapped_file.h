// A file's bytes, mapped for reading. Empty if the file is empty or cannot be mapped.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstddef>
#include <string_view>

namespace sluice {

class MappedFile {
 public:
  explicit MappedFile(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return;
    size_ = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped != MAP_FAILED) bytes_ = static_cast<const char*>(mapped);
  }
  ~MappedFile() {
    if (bytes_ != nullptr) ::munmap(const_cast<char*>(bytes_), size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const {
    return bytes_ == nullptr ? std::string_view() : std::string_view(bytes_, size_);
  }

 private:
  std::size_t size_ = 0;
  const char* bytes_ = nullptr;
};

}  // namespace sluice
