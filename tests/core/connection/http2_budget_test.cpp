// What a client may cost: bursts, and what leaks away.
#include "connection/http2_budget.h"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

unsigned until_too_many(Http2Budget& budget, Http2Cost cost, std::uint64_t now_ms) {
  unsigned count = 0;
  while (budget.take(cost, now_ms) && count < 100'000) ++count;
  return count;
}

}  // namespace

TEST_CASE("a burst is allowed, and a flood is not", "[http2_budget]") {
  Http2Budget budget;
  CHECK(until_too_many(budget, Http2Cost::ping, 1000) == 200);
  CHECK_FALSE(budget.take(Http2Cost::ping, 1000));
  CHECK(budget.take(Http2Cost::reset, 1000));
  CHECK_FALSE(budget.take(Http2Cost::fields, 1000));
}

TEST_CASE("what was taken leaks away", "[http2_budget]") {
  Http2Budget budget;
  until_too_many(budget, Http2Cost::settings, 1000);
  CHECK_FALSE(budget.take(Http2Cost::settings, 1100));
  CHECK(budget.take(Http2Cost::settings, 2100));
  for (std::uint64_t now_ms = 10'000; now_ms < 100'000; now_ms += 250)
    CHECK(budget.take(Http2Cost::settings, now_ms));
}

TEST_CASE("a client that takes content may open windows", "[http2_budget]") {
  Http2Budget budget;
  for (int i = 0; i < 10'000; ++i) {
    budget.content_was_sent(1);
    CHECK(budget.take(Http2Cost::window, 1000));
    CHECK(budget.take(Http2Cost::window, 1000));
  }
  CHECK(until_too_many(budget, Http2Cost::window, 1000) < 5000);
}

TEST_CASE("a client that takes content may measure its way", "[http2_budget]") {
  Http2Budget budget;
  for (int i = 0; i < 10'000; ++i) {
    budget.content_was_sent(1);
    CHECK(budget.take(Http2Cost::ping, 1000));
  }
  CHECK(until_too_many(budget, Http2Cost::ping, 1000) < 300);
}

TEST_CASE("each kind has a name", "[http2_budget]") {
  for (unsigned i = 0; i < kHttp2Costs; ++i) CHECK_FALSE(http2_cost_name(static_cast<Http2Cost>(i)).empty());
}
