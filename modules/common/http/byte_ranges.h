// The Range field (RFC 9110 section 14), resolved against a representation's size. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::files {

// Bytes [first, last] of a representation.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

struct RangeRequest {
  enum class Kind : std::uint8_t {
    whole,          // the field is not understood: answer with everything
    partial,        // answer with `ranges`
    unsatisfiable,  // 416
  };
  Kind kind = Kind::whole;
  // They never overlap. They stand in the order asked for; if some had to be joined, all are in the order of
  // their places.
  std::vector<ByteRange> ranges;
};

// Up to this many ranges are answered as asked for. Among more of them, two are joined when the gap between
// them is cheaper than another part (RFC 9110 section 15.3.7.2); then the closest ones, until `kPartsMax` are
// left. Everything is sent instead when that is shorter, or when several of them overlap, which only an
// attack asks for (section 14.2).
inline constexpr std::size_t kRangesAsAskedMax = 64;
inline constexpr std::size_t kPartsMax = 512;
// About the size of a part's head.
inline constexpr std::uint64_t kPartHeadSize = 160;
// With more ranges than this everything is sent, and none is looked at.
inline constexpr std::size_t kRangesMax = 1024;

// "bytes 0-499/1000" (RFC 9110 section 14.4).
std::string content_range(const ByteRange& range, std::uint64_t size);

RangeRequest resolve_ranges(std::string_view field, std::uint64_t size);

}  // namespace sluice::files
