// A worker may ask many questions at once, and a few a second for ever.
#include "process/question_pace.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("a worker that asks without an end is answered at a bounded rate", "[question_pace]") {
  QuestionPace pace;
  std::uint64_t now_ms = 1'000'000;
  std::uint64_t admitted = 0;
  while (pace.admits(now_ms)) REQUIRE(++admitted <= QuestionPace::kAtOnce);
  CHECK(admitted == QuestionPace::kAtOnce);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(pace.admits(now_ms));  // refusals cost it nothing
  admitted = 0;
  for (int i = 0; i < 1'000; ++i) admitted += pace.admits(++now_ms) ? 1 : 0;
  CHECK(admitted == 1'000 / QuestionPace::kMsEach);
  now_ms += QuestionPace::kAtOnce * QuestionPace::kMsEach;
  for (std::uint64_t i = 0; i < QuestionPace::kAtOnce; ++i) CHECK(pace.admits(now_ms));
  CHECK_FALSE(pace.admits(now_ms));
}
