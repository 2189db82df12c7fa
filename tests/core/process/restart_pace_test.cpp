// Workers that end are replaced at once, but ever more slowly when they end again and again.
#include "process/restart_pace.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("workers that end again and again are replaced ever more slowly", "[restart_pace]") {
  RestartPace pace;
  std::uint64_t now_ms = 1'000'000;
  for (unsigned i = 0; i < RestartPace::kAtOnce + 2; ++i) CHECK(pace.ended(true, 2, ++now_ms) == 0);
  for (const std::uint64_t wait_ms : {1'000u, 2'000u, 4'000u, 8'000u, 16'000u, 30'000u, 30'000u}) {
    CHECK(pace.ended(true, 2, ++now_ms) == wait_ms);
    now_ms += wait_ms;
  }
  CHECK(pace.streak() == RestartPace::kAtOnce + 9);
  now_ms += RestartPace::kCalmMs;
  CHECK(pace.ended(true, 2, now_ms) == 0);
  CHECK(pace.ended(false, 2, now_ms) == RestartPace::kRetryMs);
}
