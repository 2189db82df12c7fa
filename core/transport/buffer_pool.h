// Byte buffers of one size, lent to connections while they are at work. An idle connection has none.
//
// Loop thread. The pool keeps up to kKeptMax returned buffers for later connections, and frees the others.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace sluice {

class BufferPool {
 public:
  using Buffer = std::unique_ptr<char[]>;

  explicit BufferPool(std::size_t buffer_size) : buffer_size_(buffer_size) {
    kept_.reserve(kKeptMax);  // so that give() allocates nothing
  }
  std::size_t buffer_size() const { return buffer_size_; }

  // How many buffers are lent now.
  std::size_t lent() const { return lent_; }

  // The buffer's bytes are not zeroed.
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
