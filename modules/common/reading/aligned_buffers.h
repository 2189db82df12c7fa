// Aligned buffers for file content, at most a fixed number a worker. They are touched when they are made, so
// that a read into them does not fault. They are cut from slabs of one large page each, if the system has
// any: a disk fills a contiguous piece of memory in one go, but scattered pages one by one. Loop thread; a
// thread or the kernel may fill a buffer that is lent.
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

// One buffer. Its slab goes back to the system with the last buffer of it.
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
  // Null when all are lent, or when there is no memory.
  BufferRef take();
  void give_back(BufferRef buffer);
  bool exhausted() const { return lent_ >= buffers_max_; }
  // Frees the buffers that are not lent. From now on the pool keeps none.
  void retire();

 private:
  void add_slab();

  const std::size_t buffers_max_;
  std::size_t lent_ = 0;
  bool retired_ = false;
  std::vector<BufferRef> free_;
};

}  // namespace sluice::files
