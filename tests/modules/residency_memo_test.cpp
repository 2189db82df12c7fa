#include "common/files/residency_memo.h"

#include <catch2/catch.hpp>

using sluice::files::ResidencyMemo;

namespace {

constexpr std::uint64_t kPart = ResidencyMemo::kPart;

}  // namespace

TEST_CASE("parts of a file are remembered on their own, for a while", "[residency]") {
  ResidencyMemo memo;
  CHECK(memo.known_until(0, 1000) == 0);
  memo.note(3 * kPart, 5 * kPart, 1000);
  CHECK(memo.known_until(3 * kPart, 1000) == 5 * kPart);
  CHECK(memo.known_until(4 * kPart + 7, 1000 + ResidencyMemo::kStaysMs - 1) == 5 * kPart);
  CHECK(memo.known_until(4 * kPart + 7, 1000 + ResidencyMemo::kStaysMs) == 4 * kPart + 7);
  for (const std::uint64_t offset : {std::uint64_t{0}, 3 * kPart - 1, 5 * kPart, 1000 * kPart}) {
    CHECK(memo.known_until(offset, 1000) == offset);
  }
  memo.note(5 * kPart, 5 * kPart + 3, 1100);  // the file's end
  CHECK(memo.known_until(3 * kPart, 1100) == 6 * kPart);
  CHECK(memo.known_until(3 * kPart, 1000 + ResidencyMemo::kStaysMs) == 3 * kPart);
}

TEST_CASE("parts far behind are not remembered, and take no memory", "[residency]") {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 60;
  ResidencyMemo memo;
  memo.note(kFar, kFar + kPart, 1000);
  CHECK(memo.known_until(kFar, 1000) == kFar);
}
