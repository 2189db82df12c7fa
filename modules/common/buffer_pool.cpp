#include "common/buffer_pool.h"

#include <sys/mman.h>

#include <utility>

namespace sluice::files {

BufferRef Buffer::make() {
  void* mapped =
      mmap(nullptr, kBufferSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return mapped == MAP_FAILED ? nullptr : BufferRef(new Buffer(static_cast<char*>(mapped)));
}

Buffer::~Buffer() {
  munmap(data_, kBufferSize);
}

BufferRef BufferPool::take() {
  if (exhausted()) return nullptr;
  BufferRef buffer;
  if (free_.empty()) {
    buffer = Buffer::make();
    if (buffer == nullptr) return nullptr;
  } else {
    buffer = std::move(free_.back());
    free_.pop_back();
  }
  ++lent_;
  return buffer;
}

void BufferPool::give_back(BufferRef buffer) {
  --lent_;
  if (!retired_) free_.push_back(std::move(buffer));
}

void BufferPool::retire() {
  retired_ = true;
  free_.clear();
}

}  // namespace sluice::files
