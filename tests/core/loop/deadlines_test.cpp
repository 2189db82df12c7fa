// The queues of deadlines. How many expire in a turn is tested with the loop.
#include "loop/deadlines.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

struct Late final : DeadlineNode {
  explicit Late(std::string& order, char name) : order(order), name(name) {}
  std::string& order;
  char name;
  void on_deadline(DeadlineKind) override { order += name; }
};

}  // namespace

TEST_CASE("deadlines expire in the order of their due times, kind by kind", "[deadlines]") {
  std::string order;
  Late a(order, 'a');
  Late b(order, 'b');
  Late c(order, 'c');
  Deadlines deadlines;
  deadlines.set_duration(DeadlineKind::head, 100);
  deadlines.set_duration(DeadlineKind::send, 50);
  CHECK(deadlines.next_due_ms() == Deadlines::kNone);
  deadlines.arm(a, DeadlineKind::head, 1000);
  deadlines.arm(b, DeadlineKind::head, 1010);
  deadlines.arm(c, DeadlineKind::send, 1020);
  CHECK(deadlines.next_due_ms() == 1070);
  deadlines.arm(a, DeadlineKind::head, 1040);  // armed again: now behind b
  deadlines.expire(1069);
  CHECK(order.empty());
  deadlines.expire(1070);
  CHECK(order == "c");
  CHECK_FALSE(c.armed());
  deadlines.expire(1110);
  CHECK(order == "cb");
  deadlines.disarm(a);
  deadlines.expire(5000);
  CHECK(order == "cb");
  {
    Late gone(order, 'x');
    deadlines.arm(gone, DeadlineKind::head, 0);
  }
  deadlines.expire(5000);
  CHECK(order == "cb");
}

TEST_CASE("a wait that has lasted long enough is due before all others of its kind", "[deadlines]") {
  std::string order;
  Late a(order, 'a');
  Late b(order, 'b');
  Late c(order, 'c');
  Counter waits[kDeadlineKinds];
  Deadlines deadlines(waits);
  deadlines.set_duration(DeadlineKind::body, 100);
  deadlines.arm(a, DeadlineKind::body, 1000);
  deadlines.arm(b, DeadlineKind::body, 1000);
  deadlines.arm_due(c, DeadlineKind::body, 1050);
  deadlines.arm_due(b, DeadlineKind::body, 1060);
  CHECK(waits[static_cast<unsigned>(DeadlineKind::body)].get() == 3);
  CHECK(deadlines.next_due_ms() == 1060);
  deadlines.expire(1060);
  CHECK(order == "bc");
  deadlines.expire(1100);
  CHECK(order == "bca");
  CHECK(waits[static_cast<unsigned>(DeadlineKind::body)].get() == 0);
}

TEST_CASE("a send time-out is divided into looks", "[deadlines]") {
  Deadlines deadlines;
  Timeouts timeouts;
  timeouts.send_ms = 4 * Deadlines::kSendLooks + 1;
  deadlines.set_durations(timeouts);
  CHECK(deadlines.duration_ms(DeadlineKind::send) == 5);
  CHECK(deadlines.duration_ms(DeadlineKind::head) == timeouts.head_ms);
  CHECK(deadlines.duration_ms(DeadlineKind::linger) == timeouts.linger_ms);
}

TEST_CASE("what waits now is counted by its kind", "[deadlines]") {
  std::string order;
  Counter waits[kDeadlineKinds];
  const auto waiting = [&](DeadlineKind kind) { return waits[static_cast<unsigned>(kind)].get(); };
  Late a(order, 'a');
  Late b(order, 'b');
  {
    Deadlines deadlines(waits);
    deadlines.set_duration(DeadlineKind::send, 50);
    deadlines.arm(a, DeadlineKind::head, 1);
    deadlines.arm(b, DeadlineKind::head, 1);
    CHECK(waiting(DeadlineKind::head) == 2);
    deadlines.arm(a, DeadlineKind::send, 2);  // from one queue into another
    deadlines.arm(a, DeadlineKind::send, 3);
    CHECK(a.deadline_kind() == DeadlineKind::send);
    CHECK(waiting(DeadlineKind::head) == 1);
    CHECK(waiting(DeadlineKind::send) == 1);
    deadlines.disarm(b);
    deadlines.disarm(b);
    CHECK(waiting(DeadlineKind::head) == 0);
    {
      Late gone(order, 'x');
      deadlines.arm(gone, DeadlineKind::handler, 1);
      CHECK(waiting(DeadlineKind::handler) == 1);
    }
    CHECK(waiting(DeadlineKind::handler) == 0);
    deadlines.set_duration(DeadlineKind::keepalive, 10);
    deadlines.arm(b, DeadlineKind::keepalive, 1);
    deadlines.expire(60);
    CHECK(order.size() == 2);
    CHECK(waiting(DeadlineKind::send) == 0);
    deadlines.arm(b, DeadlineKind::linger, 1);
  }
  CHECK(waiting(DeadlineKind::linger) == 0);  // the queues have ended
  CHECK_FALSE(b.armed());
}

TEST_CASE("waits of one kind are walked through in order", "[deadlines]") {
  std::string order;
  Late a(order, 'a');
  Late b(order, 'b');
  Late other(order, 'x');
  Deadlines deadlines;
  deadlines.arm(b, DeadlineKind::keepalive, 1);
  deadlines.arm(other, DeadlineKind::head, 1);
  deadlines.arm(a, DeadlineKind::keepalive, 2);
  CHECK(deadlines.first(DeadlineKind::keepalive) == &b);
  CHECK(deadlines.after(b) == &a);
  CHECK(deadlines.after(a) == nullptr);
  CHECK(deadlines.first(DeadlineKind::linger) == nullptr);
}
