// The Range field, RFC 9110 section 14.
#include "common/byte_ranges.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using sluice::files::ByteRange;
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
    // 14.1.2: nothing of it is there
    {"bytes=1000-", 1000, Kind::unsatisfiable},
    {"bytes=1000-1001,2000-", 1000, Kind::unsatisfiable},
    {"bytes=-0", 1000, Kind::unsatisfiable},
    {"bytes=99999999999999999999999-", 1000, Kind::unsatisfiable},
    {"bytes=0-0", 0, Kind::unsatisfiable},
    {"bytes=0-", 0, Kind::unsatisfiable},
    {"bytes=-5", 0, Kind::whole},
    // 14.2: what is invalid is ignored
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
    // 15.3.7.2: several
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

TEST_CASE("countless ranges are not worth an answer of their own", "[byte_ranges]") {
  std::string field = "bytes=0-0";
  for (std::size_t i = 1; i < kRangesMax; ++i)
    field += "," + std::to_string(i * 200) + "-" + std::to_string(i * 200);
  CHECK(resolve_ranges(field, 1'000'000).ranges.size() == kRangesMax);
  CHECK(resolve_ranges(field + ",900000-", 1'000'000).kind == Kind::whole);
}

TEST_CASE("ranges never amplify: they are disjoint and lie inside", "[byte_ranges]") {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
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
