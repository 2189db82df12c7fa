#include "common/reading/aligned_buffers.h"

#include <sys/mman.h>

#include <cstring>

namespace sluice::files {
namespace {

constexpr std::size_t kSlabSize = 2 << 20;  // a large page of x86-64, and of AArch64 with pages of 4 KiB

}  // namespace

class BufferSlab {
 public:
  explicit BufferSlab(char* mapped) : mapped_(mapped) {}
  ~BufferSlab() { munmap(mapped_, 2 * kSlabSize); }
  BufferSlab(const BufferSlab&) = delete;
  BufferSlab& operator=(const BufferSlab&) = delete;

 private:
  char* const mapped_;
};

// Maps twice the size, so that an aligned slab fits in. Untouched pages take no memory.
void BufferPool::add_slab() {
  void* mapped =
      mmap(nullptr, 2 * kSlabSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  auto* first = static_cast<char*>(mapped);
  const auto slab = std::make_shared<const BufferSlab>(first);
  first += (kSlabSize - reinterpret_cast<std::uintptr_t>(first) % kSlabSize) % kSlabSize;
  madvise(first, kSlabSize, MADV_HUGEPAGE);  // works without large pages as well
  std::memset(first, 0, kSlabSize);
  for (std::size_t at = 0; at < kSlabSize; at += kBufferSize) {
    free_.push_back(std::make_unique<Buffer>(slab, first + at));
  }
}

BufferRef BufferPool::take() {
  if (exhausted()) return nullptr;
  if (free_.empty()) add_slab();
  if (free_.empty()) return nullptr;
  BufferRef buffer = std::move(free_.back());
  free_.pop_back();
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
