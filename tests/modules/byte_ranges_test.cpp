// The Range field, RFC 9110 section 14.
#include "common/http/byte_ranges.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

using sluice::files::ByteRange;
using sluice::files::kPartsMax;
using sluice::files::kRangesAsAskedMax;
using sluice::files::kRangesMax;
using sluice::files::RangeRequest;
using sluice::files::resolve_ranges;

using Kind = RangeRequest::Kind;

namespace {

struct Case {
  std::string field;
  std::uint64_t size;
  Kind kind;
  std::vector<ByteRange> ranges = {};
};

const Case kCases[] = {
    // 14.1.2: single ranges
    {"bytes=0-0", 1000, Kind::partial, {{0, 0}}},
    {"bytes=0-499", 1000, Kind::partial, {{0, 499}}},
    {"bytes=500-", 1000, Kind::partial, {{500, 999}}},
    {"bytes=-500", 1000, Kind::partial, {{500, 999}}},
    {"bytes=-1", 1000, Kind::partial, {{999, 999}}},
    {"bytes=-2000", 1000, Kind::partial, {{0, 999}}},
    {"bytes=900-2000", 1000, Kind::partial, {{900, 999}}},
    {"bytes=0-99999999999999999999999", 1000, Kind::partial, {{0, 999}}},
    {"bytes=-99999999999999999999999", 1000, Kind::partial, {{0, 999}}},
    {"bytes=4294967296-4294967297", 5'000'000'000, Kind::partial, {{4294967296, 4294967297}}},
    // 14.1: the unit's name ignores case; blanks and empty members of a list are allowed (5.6.1)
    {"Bytes=0-1", 1000, Kind::partial, {{0, 1}}},
    {"bytes= 0-1", 1000, Kind::partial, {{0, 1}}},
    {"bytes=,0-1,,", 1000, Kind::partial, {{0, 1}}},
    // 14.1.2: ranges beyond the end
    {"bytes=1000-", 1000, Kind::unsatisfiable},
    {"bytes=1000-1001,2000-", 1000, Kind::unsatisfiable},
    {"bytes=-0", 1000, Kind::unsatisfiable},
    {"bytes=99999999999999999999999-", 1000, Kind::unsatisfiable},
    {"bytes=1-", 0, Kind::unsatisfiable},
    {"bytes=1-5", 0, Kind::unsatisfiable},
    {"bytes=-0", 0, Kind::unsatisfiable},
    // an empty file: everything
    {"bytes=0-0", 0, Kind::whole},
    {"bytes=0-", 0, Kind::whole},
    {"bytes=0-499", 0, Kind::whole},
    {"bytes=5-9,0-4", 0, Kind::whole},
    {"bytes=-5", 0, Kind::whole},
    // 14.2: invalid fields are ignored
    {"", 1000, Kind::whole},
    {"bytes", 1000, Kind::whole},
    {"bytes=", 1000, Kind::whole},
    {"bytes=,", 1000, Kind::whole},
    {"bytes=-", 1000, Kind::whole},
    {"bytes=5", 1000, Kind::whole},
    {"bytes=5-4", 1000, Kind::whole},
    {"bytes=a-b", 1000, Kind::whole},
    {"bytes=0-1x", 1000, Kind::whole},
    {"bytes=0 - 1", 1000, Kind::whole},
    {"bytes=0--1", 1000, Kind::whole},
    {"bytes=+0-1", 1000, Kind::whole},
    {"bytes=0x0-1", 1000, Kind::whole},
    {"bytes =0-1", 1000, Kind::whole},
    {"bytes:0-1", 1000, Kind::whole},
    {"octets=0-1", 1000, Kind::whole},
    {"0-1", 1000, Kind::whole},
    {"bytes=0-1,x", 1000, Kind::whole},
    {"bytes=0-1;2-3", 1000, Kind::whole},
    // 15.3.7.2: several ranges
    {"bytes=0-0,500-509", 1000, Kind::partial, {{0, 0}, {500, 509}}},
    {"bytes=500-509,0-0", 1000, Kind::partial, {{500, 509}, {0, 0}}},
    {"bytes=0-9,2000-,500-509", 1000, Kind::partial, {{0, 9}, {500, 509}}},
    {"bytes=0-,0-,0-", 1000, Kind::partial, {{0, 999}}},
    {"bytes=0-9,5-14", 1000, Kind::partial, {{0, 14}}},
    {"bytes=0-9,10-19", 1000, Kind::partial, {{0, 19}}},
    {"bytes=0-9,50-59", 1000, Kind::partial, {{0, 9}, {50, 59}}},
    {"bytes=900-999,0-9,5-14", 1000, Kind::partial, {{0, 14}, {900, 999}}},
};

}  // namespace

TEST_CASE("a Range field becomes the ranges it names", "[byte_ranges]") {
  for (const Case& expected : kCases) {
    CAPTURE(expected.field, expected.size);
    const RangeRequest found = resolve_ranges(expected.field, expected.size);
    CHECK(found.kind == expected.kind);
    CHECK(found.ranges == expected.ranges);
  }
}

namespace {

// `count` ranges of one byte, one every `step` bytes.
std::string every(std::size_t count, std::size_t step) {
  std::string field = "bytes=";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string at = std::to_string(i * step);
    field.append(i == 0 ? "" : ",").append(at).append("-").append(at);
  }
  return field;
}

bool covered(const std::vector<ByteRange>& ranges, std::uint64_t position) {
  return std::any_of(ranges.begin(), ranges.end(), [position](const ByteRange& range) {
    return range.first <= position && position <= range.last;
  });
}

}  // namespace

TEST_CASE("many ranges are answered with as few parts as make sense", "[byte_ranges]") {
  constexpr std::uint64_t kSize = 100'000'000;
  // Up to kRangesAsAskedMax ranges stay as they were asked for, however close they are.
  CHECK(resolve_ranges(every(kRangesAsAskedMax, 2), kSize).ranges.size() == kRangesAsAskedMax);
  CHECK(resolve_ranges(every(kRangesAsAskedMax + 1, 2), kSize).ranges ==
        std::vector<ByteRange>{{0, 2 * kRangesAsAskedMax}});
  // Ranges that are far apart stay apart.
  const RangeRequest apart = resolve_ranges(every(300, 1000), kSize);
  REQUIRE(apart.ranges.size() == 300);
  CHECK(apart.ranges[299] == ByteRange{299'000, 299'000});
  CHECK(resolve_ranges(every(kPartsMax, 1000), kSize).ranges.size() == kPartsMax);
  // The order asked for makes no difference.
  std::string backwards = "bytes=";
  for (int i = 299; i >= 0; --i) backwards += std::to_string(i * 1000) + "-" + std::to_string(i * 1000) + ",";
  CHECK(resolve_ranges(backwards, kSize).ranges == apart.ranges);
  // Ranges beyond the end change nothing, nor do neighbours.
  CHECK(resolve_ranges(every(300, 1000) + ",200000000-", kSize).ranges == apart.ranges);
  CHECK(resolve_ranges(every(300, 1), kSize).ranges == std::vector<ByteRange>{{0, 299}});
}

TEST_CASE("too many parts are joined where they are closest", "[byte_ranges]") {
  constexpr std::uint64_t kSize = 100'000'000;
  std::string field = "bytes=";
  for (std::uint64_t i = 0, at = 0; i < kRangesMax; ++i) {
    field.append(i == 0 ? "" : ",").append(std::to_string(at)).append("-").append(std::to_string(at + 9));
    at += i % 4 == 3 ? 50'000 : 1000;
  }
  const RangeRequest found = resolve_ranges(field, kSize);
  REQUIRE(found.kind == Kind::partial);
  CHECK(found.ranges.size() == kPartsMax);
  CHECK(found.ranges.front() == ByteRange{0, 3009});
  for (std::uint64_t i = 0, at = 0; i < kRangesMax; ++i) {
    if (!covered(found.ranges, at) || !covered(found.ranges, at + 9)) FAIL("byte " << at << " is missing");
    at += i % 4 == 3 ? 50'000 : 1000;
  }
  // If all gaps are equal, no more of them are closed than needed.
  const RangeRequest alike = resolve_ranges(every(600, 1000), kSize);
  CHECK(alike.ranges.size() == kPartsMax);
  for (std::uint64_t i = 0; i < 600; ++i) {
    if (!covered(alike.ranges, i * 1000)) FAIL("byte " << i * 1000 << " is missing");
  }
  CHECK(alike.ranges.back() == ByteRange{599'000, 599'000});
  CHECK(resolve_ranges(every(kRangesMax + 1, 1000), kSize).kind == Kind::whole);
}

TEST_CASE("the whole file is sent when parts would be longer", "[byte_ranges]") {
  CHECK(resolve_ranges(every(100, 1000), 100'000).kind == Kind::partial);
  CHECK(resolve_ranges(every(100, 162), 16'039).kind == Kind::whole);
  CHECK(resolve_ranges(every(100, 2), 200).kind == Kind::whole);
}

TEST_CASE("many ranges that overlap are an attack", "[byte_ranges]") {
  constexpr std::uint64_t kSize = 100'000'000;
  CHECK(resolve_ranges(every(100, 1000) + ",0-0,1000-1000", kSize).kind == Kind::partial);
  CHECK(resolve_ranges(every(100, 1000) + ",0-0,1000-1000,2000-2000", kSize).kind == Kind::whole);
  std::string killer = "bytes=0-";
  for (int i = 0; i < 500; ++i) killer += ",5-" + std::to_string(i + 5);
  CHECK(resolve_ranges(killer, kSize).kind == Kind::whole);
  std::string beyond = "bytes=0-";
  for (int i = 0; i < 100; ++i) beyond += ",200000000-";
  CHECK(resolve_ranges(beyond, kSize).ranges == std::vector<ByteRange>{{0, kSize - 1}});
}

TEST_CASE("ranges never amplify: they do not overlap, and lie inside", "[byte_ranges]") {
  std::mt19937 random(7);
  for (int round = 0; round < 3'000; ++round) {
    const std::uint64_t size = random() % 5000;
    std::string field = "bytes=";
    for (auto i = random() % 8 + 1; i > 0; --i) {
      const auto first = random() % 6000;
      field += random() % 4 == 0 ? "-" + std::to_string(first)
                                 : std::to_string(first) + "-" + std::to_string(first + random() % 900);
      if (i > 1) field += ",";
    }
    CAPTURE(field, size);
    const RangeRequest found = resolve_ranges(field, size);
    std::vector<bool> seen(size);
    bool twice = false;
    for (const ByteRange& range : found.ranges) {
      REQUIRE(range.first <= range.last);
      REQUIRE(range.last < size);
      for (std::uint64_t at = range.first; at <= range.last; ++at) {
        twice = twice || seen[at];
        seen[at] = true;
      }
    }
    REQUIRE_FALSE(twice);
    REQUIRE((found.kind == Kind::partial) == !found.ranges.empty());
  }
}
