// Files on disks: read as a whole, written so that they are not in memory, and a disk filled up.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "support/server_process.h"

namespace sluice::test {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes a file below the document root, and asks the kernel to forget its pages.
inline void write_cold(const Site& site, const std::string& name, const std::string& content) {
  site.write(name, content);
  const int file = ::open((site.root() + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

// Makes a file that takes all the room of its disk.
inline void fill(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (std::size_t size = 1 << 20; size > 0; size /= 16) {
    const std::string piece(size, 'x');
    while (::write(file, piece.data(), size) > 0) continue;
  }
  ::close(file);
}

}  // namespace sluice::test
