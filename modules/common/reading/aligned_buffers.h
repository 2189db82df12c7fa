// Aligned buffers for file content, at most a fixed number a worker, touched when they are made so that no read
// into them faults. They are cut from slabs of one large page each, where the system has one: a disk reads into
// a piece of contiguous memory in one go, and into scattered pages one by one. Loop thread; a buffer that is
// lent may be filled by a thread or by the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::files {

inline constexpr std::size_t kBufferSize = 256 * 1024;
inline constexpr std::size_t kBufferAlignment = 4096;  // enough for O_DIRECT on every block size in use

class BufferSlab;

// One buffer; its slab goes back to the system with the last of them.
class Buffer {
 public:
  Buffer(std::shared_ptr<const BufferSlab> slab, char* data) : slab_(std::move(slab)), data_(data) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  char* data() { return data_; }

 private:
  std::shared_ptr<const BufferSlab> slab_;
  char* data_;
};
using BufferRef = std::unique_ptr<Buffer>;

class BufferPool {
 public:
  explicit BufferPool(std::size_t buffers_max) : buffers_max_(buffers_max) {}
  // Null when all are lent, or without memory.
  BufferRef take();
  void give_back(BufferRef buffer);
  bool exhausted() const { return lent_ >= buffers_max_; }
  // Frees what is not lent, and from now on keeps nothing.
  void retire();

 private:
  void add_slab();

  const std::size_t buffers_max_;
  std::size_t lent_ = 0;
  bool retired_ = false;
  std::vector<BufferRef> free_;
};

}  // namespace sluice::files
