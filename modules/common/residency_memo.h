// When each part of a file was last found in memory, so that many who send the same parts need not look each
// time. Loop thread.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::files {

class ResidencyMemo {
 public:
  static constexpr std::uint64_t kPart = 2 << 20;
  // Memory would have to turn over within that time to make it wrong, and being wrong costs one read.
  static constexpr std::uint64_t kStaysMs = 100;

  // Until when the part around `offset` is taken to stay in memory; 0 when that is not known.
  std::uint64_t stays_until_ms(std::uint64_t offset) const {
    const std::uint64_t part = offset / kPart;
    return part < until_ms_.size() ? until_ms_[part] : 0;
  }
  // All of the part around `offset` has just been found in memory.
  void note(std::uint64_t offset, std::uint64_t now_ms) {
    const std::uint64_t part = offset / kPart;
    if (part >= kPartsMax) return;
    if (part >= until_ms_.size()) until_ms_.resize(part + 1);
    until_ms_[part] = now_ms + kStaysMs;
  }

 private:
  static constexpr std::uint64_t kPartsMax = 8192;  // what lies beyond 16 GiB is looked at each time

  std::vector<std::uint64_t> until_ms_;
};

}  // namespace sluice::files
