// Reads through the pieces of an iovec as if they were one.
//
// The pieces stay the caller's. Any thread.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace sluice {

class PieceReader {
 public:
  explicit PieceReader(const iovec* pieces) : next_(pieces) {}
  // `size` bytes in one piece; those of several pieces are copied to `buffer`. REQUIRES: so many are left.
  const char* take(std::size_t size, char* buffer) {
    while (used_ == next_->iov_len) step();
    if (next_->iov_len - used_ >= size) {
      const char* found = static_cast<const char*>(next_->iov_base) + used_;
      used_ += size;
      return found;
    }
    for (std::size_t copied = 0; copied < size;) {
      while (used_ == next_->iov_len) step();
      const std::size_t part = std::min(size - copied, next_->iov_len - used_);
      std::memcpy(buffer + copied, static_cast<const char*>(next_->iov_base) + used_, part);
      copied += part;
      used_ += part;
    }
    return buffer;
  }

 private:
  void step() {
    ++next_;
    used_ = 0;
  }
  const iovec* next_;
  std::size_t used_ = 0;
};

}  // namespace sluice
