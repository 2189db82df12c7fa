// Byte buffers of one size that are lent to connections while they are at work: an idle connection owns none.
//
// Loop thread. What comes back is kept for the next, up to a bound.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace sluice {

class BufferPool {
 public:
  using Buffer = std::unique_ptr<char[]>;

  explicit BufferPool(std::size_t buffer_size) : buffer_size_(buffer_size) {}
  std::size_t buffer_size() const { return buffer_size_; }

  // Not zeroed.
  Buffer take() {
    if (kept_.empty()) return Buffer(new char[buffer_size_]);
    Buffer buffer = std::move(kept_.back());
    kept_.pop_back();
    return buffer;
  }
  void give(Buffer buffer) {
    if (buffer != nullptr && kept_.size() < kKeptMax) kept_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t kKeptMax = 256;
  std::size_t buffer_size_;
  std::vector<Buffer> kept_;
};

}  // namespace sluice
