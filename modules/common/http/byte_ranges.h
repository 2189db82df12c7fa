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

// So many ranges are answered as they were asked for. Among more of them, those that lie so close together that
// a part of its own would cost more than the gap are joined, too (RFC 9110 section 15.3.7.2), and so are the
// closest until there are no more than `kPartsMax`. Everything is sent instead when that is shorter, and when
// several of so many overlap, which only an attack asks for (section 14.2).
inline constexpr std::size_t kRangesAsAskedMax = 64;
inline constexpr std::size_t kPartsMax = 512;
// About what the head of a part takes.
inline constexpr std::uint64_t kPartHeadSize = 160;
// More ranges than this are not looked at: everything is sent.
inline constexpr std::size_t kRangesMax = 1024;

// "bytes 0-499/1000" (RFC 9110 section 14.4).
std::string content_range(const ByteRange& range, std::uint64_t size);

RangeRequest resolve_ranges(std::string_view field, std::uint64_t size);

}  // namespace sluice::files
