// A long text that grows within a memory budget. It is made of blocks, so that growing moves nothing and
// takes little more than the text needs. One thread writes it; then any may read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/files/memory_budget.h"

namespace sluice::files {

class TextBlocks {
 public:
  explicit TextBlocks(std::shared_ptr<MemoryBudget> budget) : share_(std::move(budget)) {}

  // The block to append the next `size` bytes to, which moves nothing. Null when the budget has no room for
  // them.
  std::string* room_for(std::size_t size) {
    if (!blocks_.empty() && blocks_.back().capacity() - blocks_.back().size() >= size) return &blocks_.back();
    const std::size_t usual = std::clamp(share_.size(), kBlockMin, kBlockMax);
    const std::size_t capacity = std::max(usual, size);
    if (!share_.grow(capacity)) return nullptr;
    if (!blocks_.empty()) size_before_last_ += blocks_.back().size();
    blocks_.emplace_back().reserve(capacity);
    return &blocks_.back();
  }

  std::size_t size() const { return blocks_.empty() ? 0 : size_before_last_ + blocks_.back().size(); }
  const std::vector<std::string>& blocks() const { return blocks_; }
  std::string str() const {
    std::string whole;
    for (const std::string& block : blocks_) whole += block;
    return whole;
  }
  // REQUIRES: both were made in the same steps; equal texts in other blocks compare unequal.
  bool operator==(const TextBlocks& other) const { return blocks_ == other.blocks_; }

 private:
  static constexpr std::size_t kBlockMin = 16 * 1024;
  static constexpr std::size_t kBlockMax = 256 * 1024;

  MemoryShare share_;
  std::vector<std::string> blocks_;
  std::size_t size_before_last_ = 0;
};

}  // namespace sluice::files
