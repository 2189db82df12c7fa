// What counts as long calls.
#include "loop/call_length.h"

#include <catch2/catch.hpp>

using sluice::CallLength;
using sluice::CallLengths;

namespace {

CallLengths after(int calls, std::uint64_t took_ns) {
  CallLengths lengths;
  for (int i = 0; i < calls; ++i) lengths.add(took_ns);
  return lengths;
}

}  // namespace

TEST_CASE("several long calls make an object lengthy, and short ones brief again", "[call_length]") {
  CHECK(CallLengths().average() == CallLength::unproven);
  CHECK(after(1, 250'000).average() == CallLength::unproven);
  CHECK(after(2, 250'000).average() == CallLength::lengthy);
  CHECK(after(3, 10'000).average() == CallLength::unproven);
  CHECK(after(4, 10'000).average() == CallLength::brief);
  CallLengths lengths = after(100, 250'000);
  for (int i = 0; i < 16; ++i) lengths.add(10'000);
  CHECK(lengths.average() == CallLength::brief);
}

TEST_CASE("one call that was interrupted does not count", "[call_length]") {
  CallLengths lengths = after(20, 20'000);
  lengths.add(400'000'000);
  CHECK(lengths.average() == CallLength::brief);
  lengths.add(400'000'000);
  CHECK(lengths.average() == CallLength::lengthy);
}

TEST_CASE("calls around the limit are told apart", "[call_length]") {
  CHECK(after(100, CallLengths::kLengthyNs - 8'000).average() == CallLength::brief);
  CHECK(after(100, CallLengths::kLengthyNs + 8'000).average() == CallLength::lengthy);
}
