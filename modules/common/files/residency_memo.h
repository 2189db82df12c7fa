// When each part of a file was last found in memory, so that bodies that send the same parts need not check
// each time. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::files {

class ResidencyMemo {
 public:
  static constexpr std::uint64_t kPart = 64 * 1024;
  // It could be wrong only if all memory were reused within that time, and being wrong costs one read.
  static constexpr std::uint64_t kStaysMs = 500;

  // Up to where, from `offset` on, the file is assumed to be still in memory; `offset` itself when that is
  // not known.
  std::uint64_t known_until(std::uint64_t offset, std::uint64_t now_ms) const {
    const std::uint64_t first = offset / kPart;
    std::uint64_t part = first;
    while (part < until_ms_.size() && part - first < kPartsSeenMax && now_ms < until_ms_[part]) ++part;
    return part == first ? offset : part * kPart;
  }
  // Notes that all of [begin, end) has just been found in memory. REQUIRES: begin is a multiple of kPart; end
  // is a multiple of it or the file's end.
  void note(std::uint64_t begin, std::uint64_t end, std::uint64_t now_ms) {
    const std::uint64_t first = begin / kPart;
    const std::uint64_t last = std::min((end + kPart - 1) / kPart, kPartsMax);
    if (first >= last) return;
    if (last > until_ms_.size()) until_ms_.resize(last);
    std::fill(until_ms_.begin() + static_cast<std::ptrdiff_t>(first),
              until_ms_.begin() + static_cast<std::ptrdiff_t>(last), now_ms + kStaysMs);
  }

 private:
  static constexpr std::uint64_t kPartsMax = 256 * 1024;  // parts beyond 16 GiB are checked each time
  static constexpr std::uint64_t kPartsSeenMax = 64;      // in one call

  std::vector<std::uint64_t> until_ms_;
};

}  // namespace sluice::files
