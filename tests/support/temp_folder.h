// A folder that a test has for itself and that is removed at the end, and operations on its files. Any
// thread, one at a time.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::test {

class TempFolder {
 public:
  explicit TempFolder(const std::string& parent = "/tmp") {
    std::string name = parent + "/sluice-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder in " + parent);
    path = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path + "/" + name; }

  // Writes a whole file, in place if it exists.
  void write(const std::string& name, std::string_view content) const {
    const int fd = open((*this / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    put(fd, content, 0);
    close(fd);
  }
  // Writes over part of a file, without any fsync.
  void overwrite(const std::string& name, std::string_view content, std::uint64_t offset) const {
    const int fd = open((*this / name).c_str(), O_WRONLY | O_CLOEXEC);
    put(fd, content, offset);
    close(fd);
  }
  // Sets a file's times to an hour ago. Its ctime cannot be set.
  void age(const std::string& name) const {
    timespec times[2];
    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= 3600;
    times[1] = times[0];
    utimensat(AT_FDCWD, (*this / name).c_str(), times, 0);
  }
  // Waits until the last change of a file is more than `seconds` whole seconds ago.
  void wait_until_older(const std::string& name, std::int64_t seconds) const {
    struct stat status {};
    if (stat((*this / name).c_str(), &status) != 0) throw std::runtime_error("a test file is missing");
    std::this_thread::sleep_until(std::chrono::system_clock::from_time_t(status.st_ctim.tv_sec + seconds + 1));
  }
  // Removes a file from the page cache. False, with a message, if it stays there, as on tmpfs.
  bool make_cold(const std::string& name) const {
    // Tries again, because a page stays that another processor uses at this moment.
    for (int tries = 0; tries < 20; ++tries) {
      if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const int fd = open((*this / name).c_str(), O_RDONLY | O_CLOEXEC);
      fsync(fd);
      posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      close(fd);
      if (is_cold(name)) return true;
    }
    std::fprintf(stderr, "%s: files stay cached here\n", path.c_str());
    return false;
  }
  // Whether the file's first page is not in the page cache.
  bool is_cold(const std::string& name) const {
    const int fd = open((*this / name).c_str(), O_RDONLY | O_CLOEXEC);
    void* mapped = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    unsigned char present = 1;
    if (mapped != MAP_FAILED) {
      mincore(mapped, 4096, &present);
      munmap(mapped, 4096);
    }
    close(fd);
    return (present & 1) == 0;
  }

  std::string path;

 private:
  static void put(int fd, std::string_view content, std::uint64_t offset) {
    while (!content.empty()) {
      const ssize_t wrote = pwrite(fd, content.data(), content.size(), static_cast<off_t>(offset));
      if (wrote <= 0) throw std::runtime_error("a test file cannot be written");
      content.remove_prefix(static_cast<std::size_t>(wrote));
      offset += static_cast<std::uint64_t>(wrote);
    }
  }
};

// Bytes that differ everywhere, so that a piece in the wrong place is noticed.
inline std::string pattern(std::size_t size, std::uint64_t seed = 1) {
  std::string made(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
  for (char& c : made) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state >> 32);
  }
  return made;
}

}  // namespace sluice::test
