#include "common/residency_memo.h"

#include <catch2/catch.hpp>

using sluice::files::ResidencyMemo;

TEST_CASE("parts of a file are remembered on their own, for a while", "[residency]") {
  constexpr std::uint64_t kPart = ResidencyMemo::kPart;
  ResidencyMemo memo;
  CHECK(memo.stays_until_ms(0) == 0);
  memo.note(3 * kPart + 5, 1000);
  for (const std::uint64_t offset : {3 * kPart, 4 * kPart - 1}) {
    CHECK(memo.stays_until_ms(offset) == 1000 + ResidencyMemo::kStaysMs);
  }
  for (const std::uint64_t offset : {std::uint64_t{0}, 3 * kPart - 1, 4 * kPart, 1000 * kPart}) {
    CHECK(memo.stays_until_ms(offset) == 0);
  }
  memo.note(0, 2000);
  CHECK(memo.stays_until_ms(kPart - 1) == 2000 + ResidencyMemo::kStaysMs);
  CHECK(memo.stays_until_ms(3 * kPart) == 1000 + ResidencyMemo::kStaysMs);
}

TEST_CASE("what lies far behind is not remembered, and takes no memory", "[residency]") {
  ResidencyMemo memo;
  memo.note(std::uint64_t{1} << 60, 1000);
  CHECK(memo.stays_until_ms(std::uint64_t{1} << 60) == 0);
}
