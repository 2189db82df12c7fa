// Numbers, durations and short texts in memory that processes share. One thread writes each of them; other
// threads and processes read it. All are lock-free, and valid when their bytes are zero.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

// With one writer, adding is a plain load and store, without a locked instruction.
class Counter {
 public:
  void add(std::uint64_t by = 1) { set(get() + by); }
  void subtract(std::uint64_t by = 1) { set(get() - by); }
  void raise_to(std::uint64_t value) {
    if (value > get()) set(value);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

// Durations by powers of two: bucket i counts those below 2^i microseconds, and the last bucket all longer
// ones.
class DurationHistogram {
 public:
  static constexpr unsigned kBuckets = 24;

  void add(std::uint64_t nanoseconds) {
    const auto width = static_cast<unsigned>(std::bit_width(nanoseconds / 1000));
    buckets_[width < kBuckets ? width : kBuckets - 1].add();
    total_ns_.add(nanoseconds);
    longest_ns_.raise_to(nanoseconds);
  }
  void absorb(const DurationHistogram& other);
  std::uint64_t count() const;
  std::uint64_t bucket(unsigned index) const { return buckets_[index].get(); }
  std::uint64_t total_ns() const { return total_ns_.get(); }
  std::uint64_t longest_ns() const { return longest_ns_.get(); }

 private:
  Counter buckets_[kBuckets];
  Counter total_ns_;
  Counter longest_ns_;
};

// A short text that is written once and then published.
class Label {
 public:
  static constexpr std::size_t kSizeMax = 59;

  // What a label keeps of a text: at most kSizeMax bytes, and nothing from a NUL on.
  static std::string_view kept_of(std::string_view text) {
    text = text.substr(0, kSizeMax);
    return text.substr(0, text.find('\0'));
  }
  void set(std::string_view text) {
    text_[kept_of(text).copy(text_, kSizeMax)] = '\0';
    published_.store(1, std::memory_order_release);
  }
  // Empty until set. strnlen is bounded because a faulty process may have overwritten the terminating zero.
  std::string_view get() const {
    if (published_.load(std::memory_order_acquire) != 1) return {};
    return {text_, ::strnlen(text_, kSizeMax)};
  }

 private:
  char text_[kSizeMax + 1]{};
  std::atomic<std::uint32_t> published_{0};
};

}  // namespace sluice
