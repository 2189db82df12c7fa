// Numbers that processes share: no change is lost, the oldest gives way, and nonsense does no harm.
#include "base/shared_numbers.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/monotonic_clock.h"

using namespace sluice;

namespace {

SharedNumbers make() {
  return std::move(*SharedNumbers::make());
}

// All fall into one bucket.
SharedName sibling(std::uint64_t number) {
  return {number, 7};
}

}  // namespace

TEST_CASE("a number is 0 until it is changed or added to", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  CHECK(numbers.get({1, 2}, 5) == 0);
  CHECK(numbers.change(0, {1, 2}, 1, 2, 5) == Changed::differs);
  CHECK(numbers.change(0, {1, 2}, 0, 9, 5) == Changed::yes);
  CHECK(numbers.get({1, 2}, 5) == 9);
  CHECK(numbers.get({2, 2}, 5) == 0);
  CHECK(numbers.change(0, {1, 2}, 8, 10, 5) == Changed::differs);
  CHECK(numbers.change(0, {1, 2}, 9, 10, 5) == Changed::yes);
  CHECK(numbers.add(0, {1, 2}, 5, 5) == 15);
  CHECK(numbers.add(0, {3, 2}, 4, 5) == 4);
  CHECK(numbers.add(0, {3, 2}, ~std::uint64_t{0}, 5) == 3);
}

TEST_CASE("the number that was not used for longest gives way", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  // Around the end of a clock in 32 bits.
  const std::uint64_t begin = GENERATE(1'000ULL, 0xFFFFFFFFULL - 4);
  for (std::uint64_t i = 0; i < SharedNumbers::kWays; ++i) numbers.add(0, sibling(i + 1), i + 1, begin + i);
  CHECK(numbers.get(sibling(1), begin + 10) == 1);  // used again
  numbers.add(0, sibling(100), 100, begin + 11);
  CHECK(numbers.get(sibling(2), begin + 11) == 0);
  for (const std::uint64_t kept : {1U, 3U, 4U, 5U, 6U, 7U, 8U, 100U})
    CHECK(numbers.get(sibling(kept), begin + 11) == kept);
  // A clock that is a little behind makes none of them old.
  numbers.add(0, sibling(200), 200, begin + 5);
  CHECK(numbers.get(sibling(200), begin + 5) == 200);
}

TEST_CASE("names are the same in one space, and others in another", "[shared_numbers]") {
  const SharedNames names = std::move(*SharedNames::make());
  const SharedName a = names.of("a");
  const SharedName b = names.of("b");
  const auto same = [](const SharedName& left, const SharedName& right) {
    return left.tag == right.tag || left.place == right.place;
  };
  CHECK(same(names.within(a, "x"), names.within(a, "x")));
  CHECK_FALSE(same(names.within(a, "x"), names.within(a, "y")));
  CHECK_FALSE(same(names.within(a, "x"), names.within(b, "x")));
  CHECK_FALSE(same(a, std::move(*SharedNames::make()).of("a")));
}

TEST_CASE("threads and processes lose no change of a number that is known", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  constexpr int kRounds = 20'000;
  numbers.add(0, {1, 1}, 1, 1);
  numbers.add(0, {2, 1}, 1, 1);
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      numbers.add(0, {1, 1}, 1, 1);
      std::uint64_t before = numbers.get({2, 1}, 1);
      while (numbers.change(0, {2, 1}, before, before + 1, 1) != Changed::yes) before = numbers.get({2, 1}, 1);
    }
  };
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  std::thread other(work);
  work();
  other.join();
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(numbers.get({1, 1}, 1) == 3 * kRounds + 1);
  CHECK(numbers.get({2, 1}, 1) == 3 * kRounds + 1);
}

TEST_CASE("threads that enter the same names at once find each other's", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  constexpr std::uint64_t kNames = 4;
  constexpr unsigned kRounds = 50'000;
  const auto work = [&](unsigned seat) {
    for (unsigned i = 0; i < kRounds; ++i) numbers.add(seat, sibling(i % kNames + 1), 1, 1);
  };
  std::vector<std::thread> threads;
  for (unsigned seat = 0; seat < 4; ++seat) threads.emplace_back(work, seat);
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < kNames; ++i) sum += numbers.get(sibling(i + 1), 1);
  // Each name may have lost the first change of each other thread.
  CHECK(sum <= 4 * kRounds);
  CHECK(sum >= 4 * kRounds - 3 * kNames);
}

TEST_CASE("a process that is killed while it enters numbers leaves room for others", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::uint64_t i = 1;; ++i) numbers.add(1, sibling(i), 1, i);
  }
  while (numbers.get(sibling(1), 1) != 0 || numbers.get(sibling(2), 1) != 0) std::this_thread::yield();
  for (std::uint64_t i = 1; i < 2'000; ++i) numbers.add(0, sibling(i << 32), 1, i);
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  numbers.free_marked(1);  // of seats, only 0 is taken
  const std::uint64_t later = 1ULL << 31;
  for (std::uint64_t i = 1; i <= SharedNumbers::kWays; ++i) numbers.add(0, sibling(i << 40), i, later + i);
  for (std::uint64_t i = 1; i <= SharedNumbers::kWays; ++i)
    CHECK(numbers.get(sibling(i << 40), later + i) == i);
}

TEST_CASE("a worker that is stopped while it enters a number does not stop others", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  numbers.mark_for_test(3, sibling(1), 1);
  CHECK(numbers.change(0, sibling(1), 0, 5, 1) == Changed::yes);
  CHECK(numbers.change(0, sibling(1), 0, 5, 1) == Changed::differs);
  CHECK(numbers.get(sibling(1), 1) == 5);
}

TEST_CASE("where all ways are being entered a change fails, until their workers are gone", "[shared_numbers]") {
  const SharedNumbers numbers = make();
  numbers.mark_for_test(3, sibling(1), SharedNumbers::kWays - 1);
  CHECK(numbers.change(0, sibling(9), 0, 5, 1) == Changed::yes);
  numbers.mark_for_test(3, sibling(1), SharedNumbers::kWays);
  CHECK(numbers.change(0, sibling(9), 0, 5, 1) == Changed::no_room);
  numbers.free_marked(1U << 3 | 1U);  // the seat is still taken
  CHECK(numbers.change(0, sibling(9), 0, 5, 1) == Changed::no_room);
  numbers.free_marked(1);
  CHECK(numbers.change(0, sibling(9), 0, 5, 1) == Changed::yes);
}
