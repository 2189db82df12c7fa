#include "common/http/byte_ranges.h"

#include <algorithm>
#include <optional>

#include "common/http/text.h"

namespace sluice::files {
namespace {

// Digits only. A number that is too large becomes the largest one.
std::optional<std::uint64_t> parse_position(std::string_view digits) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (!is_digit(digit)) return std::nullopt;
    const auto add = static_cast<std::uint64_t>(digit - '0');
    value = value > (kMost - add) / 10 ? kMost : value * 10 + add;
  }
  return value;
}

enum class Spec : std::uint8_t { invalid, beyond, within, everything };

// One of "first-last", "first-", "-suffix".
Spec resolve_spec(std::string_view spec, std::uint64_t size, ByteRange& range) {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return Spec::invalid;
  const auto first = parse_position(spec.substr(0, dash));
  const auto last = parse_position(spec.substr(dash + 1));
  if (dash == 0) {
    if (!last) return Spec::invalid;
    if (*last == 0) return Spec::beyond;
    // The end of an empty file is all of it, and has no positions that a Content-Range could name.
    if (size == 0) return Spec::everything;
    range = {size - std::min(*last, size), size - 1};
    return Spec::within;
  }
  if (!first || (!last && dash + 1 < spec.size()) || (last && *last < *first)) return Spec::invalid;
  // Some clients ask for "0-" or so for every file, to limit what they get. An empty file is within any
  // limit.
  if (size == 0 && *first == 0) return Spec::everything;
  if (*first >= size) return Spec::beyond;
  range = {*first, last ? std::min(*last, size - 1) : size - 1};
  return Spec::within;
}

bool touch(const ByteRange& left, const ByteRange& right) {
  return left.first <= right.last + 1 && right.first <= left.last + 1;
}

void sort_by_place(std::vector<ByteRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

// If any two ranges overlap or touch, sorts all of them by place and joins those.
void join(std::vector<ByteRange>& ranges) {
  std::vector<ByteRange> sorted = ranges;
  sort_by_place(sorted);
  std::vector<ByteRange> joined;
  for (const ByteRange& range : sorted) {
    if (!joined.empty() && touch(joined.back(), range)) {
      joined.back().last = std::max(joined.back().last, range.last);
    } else {
      joined.push_back(range);
    }
  }
  if (joined.size() < ranges.size()) ranges = std::move(joined);
}

// ---- many ranges ----

// REQUIRES: sorted by place.
bool several_overlap(const std::vector<ByteRange>& ranges) {
  constexpr std::size_t kOverlapsMax = 2;  // of section 14.2
  std::size_t overlaps = 0;
  for (std::size_t i = 1, widest = 0; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[widest].last) ++overlaps;
    if (ranges[i].last > ranges[widest].last) widest = i;
  }
  return overlaps > kOverlapsMax;
}

std::uint64_t gap_before(const std::vector<ByteRange>& ranges, std::size_t i) {
  return ranges[i].first - ranges[i - 1].last - 1;
}

// Chooses the gaps that are closed: all that are no larger than a part's head, and then the smallest, until
// at most kPartsMax ranges are left.
class GapsToClose {
 public:
  // REQUIRES: sorted by place and disjoint.
  explicit GapsToClose(const std::vector<ByteRange>& ranges) {
    if (ranges.size() <= kPartsMax) return;
    std::vector<std::uint64_t> gaps;
    for (std::size_t i = 1; i < ranges.size(); ++i) gaps.push_back(gap_before(ranges, i));
    std::size_t needed = ranges.size() - kPartsMax;
    const auto last = gaps.begin() + static_cast<std::ptrdiff_t>(needed - 1);
    std::nth_element(gaps.begin(), last, gaps.end());
    widest_ = *last;
    // Of the gaps as wide as the last one, no more are closed than needed.
    needed -=
        static_cast<std::size_t>(std::count_if(gaps.begin(), last, [this](auto gap) { return gap < widest_; }));
    of_widest_ = needed;
  }
  bool has(std::uint64_t gap) {
    if (gap <= kPartHeadSize || gap < widest_) return true;
    if (gap > widest_ || of_widest_ == 0) return false;
    --of_widest_;
    return true;
  }

 private:
  std::uint64_t widest_ = 0;
  std::size_t of_widest_ = 0;
};

void close_gaps(std::vector<ByteRange>& ranges) {
  GapsToClose to_close(ranges);
  std::vector<ByteRange> closed = {ranges.front()};
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (to_close.has(gap_before(ranges, i))) {
      closed.back().last = ranges[i].last;
    } else {
      closed.push_back(ranges[i]);
    }
  }
  ranges = std::move(closed);
}

// Reduces more ranges than are answered as asked. False: send everything.
bool condense(std::vector<ByteRange>& ranges, std::uint64_t size) {
  sort_by_place(ranges);
  if (several_overlap(ranges)) return false;
  join(ranges);
  close_gaps(ranges);
  std::uint64_t sent = 0;
  for (const ByteRange& range : ranges) sent += range.size() + kPartHeadSize;
  return sent < size;
}

}  // namespace

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(size);
}

RangeRequest resolve_ranges(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  RangeRequest result;
  if (!equals_ignoring_case(field.substr(0, kUnit.size()), kUnit)) return result;
  std::string_view list = field.substr(kUnit.size());
  std::size_t specs = 0;
  while (!list.empty()) {
    const std::string_view spec = trimmed(take_part(list, ','));
    if (spec.empty()) continue;
    ByteRange range;
    const Spec kind = resolve_spec(spec, size, range);
    if (kind == Spec::invalid || kind == Spec::everything || ++specs > kRangesMax) return RangeRequest{};
    if (kind == Spec::within) result.ranges.push_back(range);
  }
  if (specs == 0) return result;
  result.kind = result.ranges.empty() ? RangeRequest::Kind::unsatisfiable : RangeRequest::Kind::partial;
  if (result.ranges.size() <= kRangesAsAskedMax) {
    join(result.ranges);
  } else if (!condense(result.ranges, size)) {
    return RangeRequest{};
  }
  return result;
}

}  // namespace sluice::files
