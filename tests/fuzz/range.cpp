// Range fields: the parts lie inside the file, do not overlap, and are together never more than the whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/http/byte_ranges.h"
#include "expect.h"

using namespace sluice::files;
using sluice::fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the size of the file.
  constexpr std::uint64_t kSizes[] = {0, 1, 10, 1000, 1ULL << 32, 5ULL << 30, UINT64_MAX - 1};
  if (size == 0) return 0;
  const std::uint64_t whole = kSizes[data[0] % std::size(kSizes)];
  const RangeRequest asked = resolve_ranges({reinterpret_cast<const char*>(data) + 1, size - 1}, whole);
  expect((asked.kind == RangeRequest::Kind::partial) == !asked.ranges.empty(),
         "parts are there if they are promised");
  expect(asked.ranges.size() <= kPartsMax, "parts are not countless");
  std::vector<ByteRange> sorted = asked.ranges;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    expect(sorted[i].first <= sorted[i].last && sorted[i].last < whole, "a part lies inside");
    expect(i == 0 || sorted[i - 1].last < sorted[i].first, "parts do not overlap");
  }
  return 0;
}
