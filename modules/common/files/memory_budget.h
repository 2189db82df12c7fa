// A bound on what many holders take in memory together, and the share of one of them. Any thread; one thread
// at a time uses a share.
//
// INVARIANT: the shares of a budget together never exceed it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace sluice::files {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t size) : size_(size) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  std::size_t size() const { return size_; }
  std::size_t used() const { return used_; }

 private:
  friend class MemoryShare;
  // False when more than `used_max` would then be used.
  bool take(std::size_t size, std::size_t used_max) {
    std::size_t used = used_;
    do {
      if (size > used_max || used > used_max - size) return false;
    } while (!used_.compare_exchange_weak(used, used + size));
    return true;
  }
  void give(std::size_t size) { used_ -= size; }

  const std::size_t size_;
  std::atomic<std::size_t> used_{0};
};

class MemoryShare {
 public:
  // A large share leaves a quarter of the budget to the small ones.
  static constexpr std::size_t kLarge = 1 << 20;

  explicit MemoryShare(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  MemoryShare(MemoryShare&& other) noexcept
      : budget_(std::move(other.budget_)), size_(std::exchange(other.size_, 0)) {}
  MemoryShare& operator=(MemoryShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MemoryShare() {
    if (budget_ != nullptr) budget_->give(size_);
  }

  std::size_t size() const { return size_; }
  // Makes the share larger. False, with the share unchanged, when the budget has no room for that.
  bool grow(std::size_t by) {
    const std::size_t used_max = size_ + by > kLarge ? budget_->size() / 4 * 3 : budget_->size();
    if (!budget_->take(by, used_max)) return false;
    size_ += by;
    return true;
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;  // null once it has been moved from
  std::size_t size_ = 0;
};

}  // namespace sluice::files
