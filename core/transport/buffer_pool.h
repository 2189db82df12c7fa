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

  explicit BufferPool(std::size_t buffer_size) : buffer_size_(buffer_size) {
    kept_.reserve(kKeptMax);  // so that giving back needs no memory
  }
  std::size_t buffer_size() const { return buffer_size_; }

  // How many are out.
  std::size_t lent() const { return lent_; }

  // Not zeroed.
  Buffer take() {
    Buffer buffer;
    if (kept_.empty()) {
      buffer.reset(new char[buffer_size_]);
    } else {
      buffer = std::move(kept_.back());
      kept_.pop_back();
    }
    ++lent_;
    return buffer;
  }
  void give(Buffer buffer) {
    if (buffer == nullptr) return;
    --lent_;
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t kKeptMax = 256;
  std::size_t buffer_size_;
  std::size_t lent_ = 0;
  std::vector<Buffer> kept_;
};

}  // namespace sluice
