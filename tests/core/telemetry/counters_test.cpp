#include "telemetry/counters.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

using namespace sluice;

TEST_CASE("durations fall into buckets of powers of two, and the longest is kept", "[stats]") {
  DurationHistogram turns;
  turns.add(999);         // below a microsecond
  turns.add(1'000);       // 1
  turns.add(3'999);       // 3
  turns.add(1ULL << 62);  // beyond all
  CHECK(turns.bucket(0) == 1);
  CHECK(turns.bucket(1) == 1);
  CHECK(turns.bucket(2) == 1);
  CHECK(turns.bucket(DurationHistogram::kBuckets - 1) == 1);
  CHECK(turns.longest_ns() == 1ULL << 62);
}

TEST_CASE("a label without a terminating zero is read only to its end", "[stats]") {
  Label labels[2];
  labels[0].set("hello");
  CHECK(labels[0].get() == "hello");
  // The bytes that a faulty worker could write, and bytes behind them.
  std::memset(static_cast<void*>(&labels[0]), 'x', Label::kSizeMax + 1);
  std::memset(static_cast<void*>(&labels[1]), 'y', sizeof(Label));
  CHECK(labels[0].get() == std::string(Label::kSizeMax, 'x'));
}
