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
  claims.sweep(~WorkerClaims::Seats(), WorkerClaims::kSeats);
  return claims;
}

constexpr SharedName kName{11, 3};
using Claimed = WorkerClaims::Claimed;

bool counts(const WorkerClaims& claims, unsigned seat, const SharedName& name, std::uint32_t max) {
  return claims.claim(seat, name, max) == Claimed::counted;
}

}  // namespace

TEST_CASE("all seats together claim so many", "[worker_claims]") {
  const WorkerClaims claims = make();
  CHECK(counts(claims, 0, kName, 3));
  CHECK(counts(claims, 1, kName, 3));
  CHECK(counts(claims, WorkerClaims::kSeats - 1, kName, 3));
  CHECK_FALSE(counts(claims, 0, kName, 3));
  CHECK_FALSE(counts(claims, 2, kName, 3));
  CHECK(claims.sum(kName) == 3);
  CHECK(counts(claims, 0, {12, 3}, 1));
  claims.give_back(1, kName);
  claims.give_back(1, kName);  // has none: nothing happens
  CHECK(claims.sum(kName) == 2);
  CHECK(counts(claims, 2, kName, 3));
  CHECK_FALSE(counts(claims, 2, kName, 0));
}

TEST_CASE("what a worker has claimed is given back when its seat is swept", "[worker_claims]") {
  const WorkerClaims claims = make();
  for (int i = 0; i < 5; ++i) CHECK(counts(claims, 1, kName, 10));
  CHECK(counts(claims, 0, kName, 10));
  CHECK(counts(claims, 1, {40, 50}, 10));
  claims.sweep(~WorkerClaims::Seats(1U << 1), 2);
  CHECK(claims.sum(kName) == 1);
  CHECK(claims.sum({40, 50}) == 0);
}

TEST_CASE("names that nobody has claimed give way, others do not", "[worker_claims]") {
  const WorkerClaims claims = make();
  for (std::uint64_t i = 1; i <= WorkerClaims::kWays; ++i) CHECK(counts(claims, 0, {i, 3}, 1));
  CHECK(claims.claim(0, {100, 3}, 1) == Claimed::granted);
  CHECK(claims.claim(0, {100, 3}, 1) == Claimed::granted);
  CHECK(claims.claim(0, {100, 3}, 0) == Claimed::refused);
  CHECK(claims.sum({100, 3}) == 0);
  claims.give_back(0, {100, 3});
  for (std::uint64_t i = 1; i <= WorkerClaims::kWays; ++i) CHECK(claims.sum({i, 3}) == 1);
  claims.give_back(0, {4, 3});
  CHECK(counts(claims, 1, {100, 3}, 1));
  CHECK_FALSE(counts(claims, 0, {100, 3}, 1));
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
    if (!counts(claims, seat, {i + 1, 9}, kMax)) return;
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

TEST_CASE("while rows are being taken a new name is refused, not granted", "[worker_claims]") {
  const WorkerClaims claims = make();
  for (std::uint64_t i = 1; i <= WorkerClaims::kWays; ++i) CHECK(counts(claims, 0, {i, 3}, 1));
  claims.give_back(0, {4, 3});
  claims.mark_for_test(2, {4, 3});
  CHECK(claims.claim(0, {100, 3}, 1) == Claimed::refused);
  claims.sweep(~WorkerClaims::Seats(1U << 1), 3);  // another worker is gone
  CHECK(claims.claim(0, {100, 3}, 1) == Claimed::refused);
  claims.sweep(~WorkerClaims::Seats(1U << 2), 3);
  CHECK(counts(claims, 0, {100, 3}, 1));
  for (const std::uint64_t i : {1U, 2U, 3U, 5U, 6U, 7U, 8U}) CHECK(claims.sum({i, 3}) == 1);
}

TEST_CASE("a claim in a row that is marked is given back, and its name stays", "[worker_claims]") {
  const WorkerClaims claims = make();
  CHECK(counts(claims, 0, kName, 1));
  claims.mark_for_test(2, kName);
  CHECK(claims.sum(kName) == 1);
  CHECK_FALSE(counts(claims, 1, kName, 1));
  claims.give_back(0, kName);
  CHECK(claims.sum(kName) == 0);
}

TEST_CASE("what a worker wrote into free seats does not count after it", "[worker_claims]") {
  const WorkerClaims claims = make();
  CHECK(counts(claims, 0, kName, 100));
  for (const unsigned seat : {1U, 40U, WorkerClaims::kSeats - 1}) claims.write_for_test(seat, kName, 1000);
  claims.sweep(WorkerClaims::Seats(1), 1);
  CHECK(claims.sum(kName) == 1);
  claims.sweep(WorkerClaims::Seats(1), WorkerClaims::kSeats);  // others are lent again
  CHECK(claims.sum(kName) == 1);
}
