// Aligned buffers for file content, at most a fixed number a worker, touched when they are made so that no read
// into them faults. Loop thread; a buffer that is lent may be filled by a thread or by the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::files {

inline constexpr std::size_t kBufferSize = 256 * 1024;
inline constexpr std::size_t kBufferAlignment = 4096;  // enough for O_DIRECT on every block size in use

// One buffer. Memory is mapped, so it is aligned to a page and goes back to the system when freed.
class Buffer {
 public:
  static std::unique_ptr<Buffer> make();  // null without memory
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  char* data() { return data_; }

 private:
  explicit Buffer(char* data) : data_(data) {}
  char* data_;
};
using BufferRef = std::unique_ptr<Buffer>;

class BufferPool {
 public:
  explicit BufferPool(std::size_t buffers_max) : buffers_max_(buffers_max) {}
  // Null when all are lent.
  BufferRef take();
  void give_back(BufferRef buffer);
  bool exhausted() const { return lent_ >= buffers_max_; }
  // Frees what is not lent, and from now on keeps nothing.
  void retire();

 private:
  const std::size_t buffers_max_;
  std::size_t lent_ = 0;
  bool retired_ = false;
  std::vector<BufferRef> free_;
};

}  // namespace sluice::files
