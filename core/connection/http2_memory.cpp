#include "connection/http2_memory.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace sluice {
namespace {

// The largest frame that nghttp2 writes has 16 KiB of payload; its header and nghttp2's own room are a few
// bytes.
constexpr std::size_t kBufferMin = 16'384;
constexpr std::size_t kBufferMax = 20'480;  // whole pages
constexpr std::size_t kBuffersAtOnce = 512;
constexpr std::size_t kKeptWithPages = 64;

class FrameBuffers {
 public:
  FrameBuffers() = default;
  FrameBuffers(const FrameBuffers&) = delete;
  FrameBuffers& operator=(const FrameBuffers&) = delete;
  ~FrameBuffers() {
    for (char* region : regions_) ::munmap(region, kBuffersAtOnce * kBufferMax);
  }

  // Null if there is no room.
  void* take(std::size_t size) noexcept {
    if (free_.empty() && !grow()) return nullptr;
    char* buffer = free_.back();
    free_.pop_back();
    ASAN_UNPOISON_MEMORY_REGION(buffer, size);
    return buffer;
  }

  bool has(const void* memory) const noexcept {
    const char* at = static_cast<const char*>(memory);
    return std::any_of(regions_.begin(), regions_.end(), [at](const char* region) {
      return at >= region && at < region + kBuffersAtOnce * kBufferMax;
    });
  }

  void give_back(void* memory) noexcept {
    if (free_.size() >= kKeptWithPages) ::madvise(memory, kBufferMax, MADV_DONTNEED);
    ASAN_POISON_MEMORY_REGION(memory, kBufferMax);
    free_.push_back(static_cast<char*>(memory));
  }

 private:
  bool grow() noexcept try {
    regions_.reserve(regions_.size() + 1);
    free_.reserve((regions_.size() + 1) * kBuffersAtOnce);  // so that giving back never allocates
    void* region = ::mmap(nullptr, kBuffersAtOnce * kBufferMax, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) return false;
    // A huge page would take the memory of a hundred buffers at the first byte.
    ::madvise(region, kBuffersAtOnce * kBufferMax, MADV_NOHUGEPAGE);
    ASAN_POISON_MEMORY_REGION(region, kBuffersAtOnce * kBufferMax);
    regions_.push_back(static_cast<char*>(region));
    for (std::size_t i = kBuffersAtOnce; i-- > 0;) free_.push_back(regions_.back() + i * kBufferMax);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  std::vector<char*> regions_;
  std::vector<char*> free_;
};

FrameBuffers& frames(void* data) {
  return *static_cast<FrameBuffers*>(data);
}

void* allocate(std::size_t size, void* data) {
  const bool is_frame = size >= kBufferMin && size <= kBufferMax;
  void* memory = is_frame ? frames(data).take(size) : nullptr;
  return memory != nullptr ? memory : std::malloc(size);
}

void release(void* memory, void* data) {
  if (memory == nullptr) return;
  if (frames(data).has(memory)) return frames(data).give_back(memory);
  std::free(memory);
}

void* allocate_zeroed(std::size_t count, std::size_t size, void* /*data*/) {
  return std::calloc(count, size);
}

void* reallocate(void* memory, std::size_t size, void* data) {
  if (memory == nullptr) return allocate(size, data);
  if (!frames(data).has(memory)) return std::realloc(memory, size);
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, std::min(size, kBufferMin));
  release(memory, data);
  return larger;
}

}  // namespace

nghttp2_mem* http2_memory() {
  thread_local FrameBuffers buffers;
  thread_local nghttp2_mem memory{&buffers, allocate, release, allocate_zeroed, reallocate};
  return &memory;
}

}  // namespace sluice
