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
    whole,          // no range that could be understood: answer with everything
    partial,        // `ranges`
    unsatisfiable,  // 416
  };
  Kind kind = Kind::whole;
  // Disjoint, none longer together than the representation. In the order asked for, unless some had to be
  // joined; then in the order of their places.
  std::vector<ByteRange> ranges;
};

// More ranges than this are not worth an answer of their own: everything is sent instead.
inline constexpr std::size_t kRangesMax = 64;

// "bytes 0-499/1000" (RFC 9110 section 14.4).
std::string content_range(const ByteRange& range, std::uint64_t size);

RangeRequest resolve_ranges(std::string_view field, std::uint64_t size);

}  // namespace sluice::files
