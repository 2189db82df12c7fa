// Seats of workers: what a worker leaves behind counts as long as its process may still write, and not longer.
#include "process/worker_seats.h"

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <utility>

using namespace sluice;

namespace {

constexpr SharedName kName{11, 3};

struct Fixture {
  std::shared_ptr<const SharedState> state = *SharedState::make();
  WorkerSeats seats{state};

  bool claim(const WorkerSeats::Lease& lease) const {
    return state->claims.claim(lease.place().seat, kName, 100) == WorkerClaims::Claimed::counted;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a seat is cleared when it is given back, and others keep theirs", "[worker_seats]") {
  const WorkerSeats::Lease stays = seats.lend();
  std::optional<WorkerSeats::Lease> goes = seats.lend();
  CHECK(stays.place().seat != goes->place().seat);
  CHECK(claim(stays));
  CHECK(claim(*goes));
  state->claims.write_for_test(20, kName, 1'000);  // of a plane that is not in use
  CHECK(state->claims.sum(kName) == 2);
  goes.reset();
  CHECK(state->claims.sum(kName) == 1);
}

TEST_CASE_METHOD(Fixture, "what was written into a free seat does not count when it is lent",
                 "[worker_seats]") {
  const WorkerSeats::Lease first = seats.lend();
  CHECK(claim(first));
  state->claims.write_for_test(1, kName, 1'000);
  const WorkerSeats::Lease second = seats.lend();
  CHECK(second.place().seat == 1);
  CHECK(state->claims.sum(kName) == 1);
}

TEST_CASE_METHOD(Fixture, "the seat of a process that does not end stays taken until it has",
                 "[worker_seats]") {
  WorkerSeats::Lease held = seats.lend();
  const unsigned seat = held.place().seat;
  CHECK(claim(held));
  seats.keep_until_end(77, std::move(held));
  CHECK(state->claims.sum(kName) == 1);
  CHECK(seats.lend().place().seat != seat);
  seats.ended(78);
  CHECK(state->claims.sum(kName) == 1);
  seats.ended(77);
  CHECK(state->claims.sum(kName) == 0);
  CHECK(seats.lend().place().seat == seat);
}
