// Claims of workers: together never more than there may be, and those of a worker that is gone come back.
#include "base/worker_claims.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace sluice;

namespace {

WorkerClaims make() {
  WorkerClaims claims = std::move(*WorkerClaims::make());
  for (const unsigned seat : {0U, 1U, 2U, WorkerClaims::kSeats - 1}) claims.open(seat);
  return claims;
}

constexpr SharedName kName{11, 3};

}  // namespace

TEST_CASE("all seats together claim so many", "[worker_claims]") {
  const WorkerClaims claims = make();
  CHECK(claims.claim(0, kName, 3));
  CHECK(claims.claim(1, kName, 3));
  CHECK(claims.claim(WorkerClaims::kSeats - 1, kName, 3));
  CHECK_FALSE(claims.claim(0, kName, 3));
  CHECK_FALSE(claims.claim(2, kName, 3));
  CHECK(claims.sum(kName) == 3);
  CHECK(claims.claim(0, {12, 3}, 1));
  claims.give_back(1, kName);
  claims.give_back(1, kName);  // has none: nothing happens
  CHECK(claims.sum(kName) == 2);
  CHECK(claims.claim(2, kName, 3));
  CHECK_FALSE(claims.claim(2, kName, 0));
}

TEST_CASE("what a worker has claimed is given back when its seat is cleared", "[worker_claims]") {
  const WorkerClaims claims = make();
  for (int i = 0; i < 5; ++i) CHECK(claims.claim(1, kName, 10));
  CHECK(claims.claim(0, kName, 10));
  CHECK(claims.claim(1, {40, 50}, 10));
  claims.clear(1);
  CHECK(claims.sum(kName) == 1);
  CHECK(claims.sum({40, 50}) == 0);
}

TEST_CASE("names that nobody has claimed give way, others do not", "[worker_claims]") {
  const WorkerClaims claims = make();
  for (std::uint64_t i = 1; i <= WorkerClaims::kWays; ++i) CHECK(claims.claim(0, {i, 3}, 1));
  CHECK(claims.claim(0, {100, 3}, 1));  // granted, not counted
  CHECK(claims.claim(0, {100, 3}, 1));
  CHECK(claims.sum({100, 3}) == 0);
  claims.give_back(0, {100, 3});
  for (std::uint64_t i = 1; i <= WorkerClaims::kWays; ++i) CHECK(claims.sum({i, 3}) == 1);
  claims.give_back(0, {4, 3});
  CHECK(claims.claim(1, {100, 3}, 1));
  CHECK_FALSE(claims.claim(0, {100, 3}, 1));
  CHECK(claims.sum({4, 3}) == 0);
}

TEST_CASE("seats that claim at once never have too many, and leave none", "[worker_claims]") {
  const WorkerClaims claims = make();
  constexpr std::uint32_t kMax = 2;
  constexpr std::uint64_t kNames = 12;  // more than a bucket has rows
  std::atomic<std::uint32_t> held[kNames] = {};
  std::atomic<bool> too_many{false};
  std::atomic<std::uint64_t> granted{0};
  // Of a name that is not counted there may be any number, so these use what always has a row.
  const auto claim_known = [&](unsigned seat, std::uint64_t i) {
    if (!claims.claim(seat, {i + 1, 9}, kMax)) return;
    ++granted;
    if (++held[i] > kMax) too_many = true;
    --held[i];
    claims.give_back(seat, {i + 1, 9});
  };
  std::vector<std::thread> threads;
  for (unsigned seat = 0; seat < 3; ++seat) {
    threads.emplace_back([&, seat] {
      // At most three names are claimed at a time, so each finds a row, and rows change hands all the time.
      for (std::uint64_t i = 0; i < 60'000; ++i) claim_known(seat, (i / 64 + i % 3) % kNames);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(too_many);
  CHECK(granted > 1'000);
  for (std::uint64_t i = 0; i < kNames; ++i) CHECK(claims.sum({i + 1, 9}) == 0);
}
