// How long a stream has waited for each kind of deadline since something has moved.
#include "exchange/wait_sums.h"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("waits of one kind add up, whatever comes between them", "[wait_sums]") {
  WaitSums sums;
  sums.pause(500);  // nothing was waited for
  sums.wait(DeadlineKind::handler, 1000);
  sums.pause(1300);
  sums.wait(DeadlineKind::tunnel, 1300);
  sums.pause(2000);
  sums.pause(9000);
  sums.wait(DeadlineKind::handler, 9000);
  sums.pause(9100);
  CHECK(sums.waited_ms(DeadlineKind::handler) == 400);
  CHECK(sums.waited_ms(DeadlineKind::tunnel) == 700);
  CHECK(sums.waited_ms(DeadlineKind::body) == 0);
  sums.restart();
  CHECK(sums.waited_ms(DeadlineKind::handler) == 0);
}

TEST_CASE("the longest wait counts from the beginning, whatever has moved", "[wait_sums]") {
  WaitSums sums;
  CHECK(sums.longest().ms == 0);
  for (std::uint64_t at = 0; at < 500; at += 100) {
    sums.wait(DeadlineKind::send, at);
    sums.pause(at + 60);
    sums.restart();
  }
  sums.wait(DeadlineKind::handler, 1000);
  sums.pause(1200);
  CHECK(sums.longest().kind == DeadlineKind::send);
  CHECK(sums.longest().ms == 300);
}
