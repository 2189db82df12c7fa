// A stream without a socket: a fake session carries it. However it ends, the objects of its handler are
// destroyed once.
#include "exchange/stream.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <set>
#include <string>

#include "support/fake_session.h"

using namespace sluice;
using Fixture = sluice::test::StreamFixture;
using sluice::test::kWays;

TEST_CASE_METHOD(Fixture, "however a stream ends, the objects of its handler are destroyed once", "[stream]") {
  const std::string way = GENERATE(from_range(std::begin(kWays), std::end(kWays)));
  const std::string ending = GENERATE("by itself", "cut", "late", "late body", "no client", "no head",
                                      "lost sink", "half sent", "destroyed");
  CAPTURE(way, ending);
  session.body = {"some", "of the body"};
  session.framed = ending != "late body";
  session.client_lost = ending == "no client";
  if (ending == "no head") session.begins = Io::lost;
  if (ending == "lost sink") session.lost_after = 0;
  if (ending == "half sent") session.room = 1, session.lost_after = 5;
  {
    Stream stream(context, session);
    stream.take_head(ask(way, 15), 0);
    for (int i = 0; i < 5 && stream.is_at_work() && stream.advance() == Stream::Outcome::waits; ++i) {
      if (ending == "by itself") stream.wake(module());
    }
    if (ending == "cut" && stream.is_at_work()) stream.cut();
    const DeadlineKind late = ending == "late body" ? DeadlineKind::body : DeadlineKind::handler;
    if (ending.starts_with("late") && stream.is_at_work() && stream.be_late(late) == Stream::Outcome::waits)
      while (stream.is_at_work() && advance(stream) != Stream::Outcome::waits) continue;
    if (ending != "destroyed" && stream.is_at_work()) stream.cut();
    if (ending != "destroyed") CHECK(ledger.destroyed == ledger.made);
    CHECK(ledger.destroyed <= ledger.made);
  }
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "an answer is sent, and the stream parses again or has ended", "[stream]") {
  session.keeps = GENERATE(true, false);
  Stream stream(context, session);
  stream.take_head(ask("streams"), 0);
  CHECK(stream.is_at_work());
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(stream.state() == (session.keeps ? StreamState::parsing : StreamState::ended));
  CHECK(session.statuses == std::set<std::uint32_t>{200});
  stream.reuse();
  CHECK(stream.state() == StreamState::parsing);
}

TEST_CASE_METHOD(Fixture, "a stream waits for what it needs, and goes on when that comes", "[stream]") {
  Stream stream(context, session);
  SECTION("its handler") {
    stream.take_head(ask("defers_shortly"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::handler);
    CHECK(advance(stream) == Stream::Outcome::waits);  // nobody has resumed it
    REQUIRE(stream.wake(module()));
  }
  SECTION("the request's body") {
    session.framed = false;
    stream.take_head(ask("reads", 10), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::client_bytes);
    session.body = {"0123456789"};
    session.framed = true;
  }
  SECTION("room for the head") {
    session.begins = Io::full;
    stream.take_head(ask("streams"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::socket_room);
    session.begins = Io::ok;
  }
  SECTION("room for the content") {
    session.room = 1000;
    stream.take_head(ask("streams"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.waiting_for() == WaitingFor::socket_room);
    CHECK(advance(stream) == Stream::Outcome::waits);
  }
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "an answer that fails before anything was sent is replaced", "[stream]") {
  const std::string way = GENERATE("fails", "throws");
  CAPTURE(way);
  Stream stream(context, session);
  stream.take_head(ask(way), 0);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(session.statuses.contains(way == "fails" ? 502 : 500));
  CHECK(stream.state() == StreamState::parsing);
}

TEST_CASE_METHOD(Fixture, "a reader that fails after its answer was sent ends the connection", "[stream]") {
  session.body = {"a body"};
  Stream stream(context, session);
  stream.take_head(ask("reads_badly", 6), 0);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{200});
  CHECK(stream.state() == StreamState::ended);
}

TEST_CASE_METHOD(Fixture, "an answer that must not be completed is cut", "[stream]") {
  const std::string way = GENERATE("overruns", "underruns", "fails_late");
  CAPTURE(way);
  Stream stream(context, session);
  stream.take_head(ask(way), 0);
  CHECK(advance(stream) == Stream::Outcome::cut);
  CHECK(stream.state() == StreamState::ended);
}

TEST_CASE_METHOD(Fixture, "an endless answer is closed in order", "[stream]") {
  Stream stream(context, session);
  stream.take_head(ask("endless"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  REQUIRE(stream.waits_endlessly());
  SECTION("with its last chunk missing") {
    CHECK(stream.close_endless() == Stream::Outcome::closed);
  }
  SECTION("by a cut, where only the end of the connection ends it") {
    stream.cut();
    stream.reuse();
    head.version = 10;
    stream.take_head(ask("endless"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.close_endless() == Stream::Outcome::cut);
  }
  SECTION("because its client has left and nothing came") {
    session.ended = true;
    CHECK(stream.be_late(DeadlineKind::linger) == Stream::Outcome::client_left);
  }
  CHECK_FALSE(stream.is_at_work());
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "a head that was refused is answered without a handler", "[stream]") {
  Stream stream(context, session);
  session.keeps = false;
  stream.refuse_head(RequestHead{}, 0, {400});
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{400});
  CHECK(ledger.made == 0);
}

TEST_CASE_METHOD(Fixture, "an endless answer of HTTP/1.0 is cut as soon as it waits while the worker drains",
                 "[stream]") {
  context.ending_streams = true;
  Stream stream(context, session);
  head.version = GENERATE(10U, 11U);
  stream.take_head(ask("endless"), 0);
  CHECK(advance(stream) == (head.version == 10 ? Stream::Outcome::cut : Stream::Outcome::closed));
  CHECK(stream.state() == StreamState::ended);
  CHECK(ledger.destroyed == ledger.made);
}

TEST_CASE_METHOD(Fixture, "the session hears whether the request was taken to its end", "[stream]") {
  session.framed = false;
  session.body = {"0123456789"};
  Stream stream(context, session);
  SECTION("a body that its reader has taken") {
    session.framed = true;
    stream.take_head(ask("reads", 10), 0);
    CHECK(advance(stream) == Stream::Outcome::sent);
    CHECK(session.request_taken);
  }
  SECTION("a body that nobody takes, and that is thrown away") {
    session.framed = true;
    stream.take_head(ask("streams", 10), 0);
    CHECK(advance(stream) == Stream::Outcome::sent);
    CHECK(session.request_taken);
  }
  SECTION("a body that is too long to be thrown away") {
    stream.take_head(ask("streams", context.limits.drain_bytes_max + 1), 0);
    CHECK(advance(stream) == Stream::Outcome::sent);
    CHECK_FALSE(session.request_taken);
  }
  CHECK(stream.state() == (session.request_taken ? StreamState::parsing : StreamState::ended));
}

TEST_CASE_METHOD(Fixture, "a stream has a deadline exactly while nobody else has one for it", "[stream]") {
  const auto waits_of = [this](DeadlineKind kind) { return loop->deadlines().first(kind) != nullptr; };
  const auto waits = [&] {
    return waits_of(DeadlineKind::handler) || waits_of(DeadlineKind::body) || waits_of(DeadlineKind::linger);
  };
  Stream stream(context, session);
  SECTION("for its handler") {
    stream.take_head(ask("defers"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    stream.settle(false, false);
    CHECK(waits_of(DeadlineKind::handler));
    stream.settle(true, false);  // also while output waits for the client
    CHECK(waits_of(DeadlineKind::handler));
  }
  SECTION("for the request's body, also after something has come") {
    session.framed = false;
    stream.take_head(ask("reads", 10), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    stream.settle(false, GENERATE(false, true));
    CHECK(waits_of(DeadlineKind::body));
    stream.settle(true, false);  // now output waits for the client, whose deadline it is
    CHECK_FALSE(waits());
    stream.settle(false, false);
    CHECK(waits_of(DeadlineKind::body));
  }
  SECTION("for a client that has most likely left its endless answer") {
    stream.take_head(ask("endless"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    stream.settle(false, false);
    CHECK(waits_of(DeadlineKind::handler));
    session.ended = true;
    stream.settle(false, false);
    CHECK(waits_of(DeadlineKind::linger));
    CHECK_FALSE(waits_of(DeadlineKind::handler));
  }
  SECTION("for nothing, once the answer is sent") {
    stream.take_head(ask("streams"), 0);
    CHECK(advance(stream) == Stream::Outcome::sent);
    stream.settle(false, true);
    CHECK_FALSE(waits());
    return;
  }
  stream.cut();
  CHECK_FALSE(waits());
}

TEST_CASE_METHOD(Fixture, "turns between two kinds of wait do not postpone a deadline", "[stream]") {
  loop->deadlines().set_duration(DeadlineKind::handler, 40);
  loop->deadlines().set_duration(DeadlineKind::tunnel, 60'000);
  Stream stream(context, session);
  stream.take_head(ask("upgrades_restless"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(turn_until([&] {
    stream.wake(module());
    static_cast<void>(stream.advance());
    stream.settle(false, false);
    loop->turn(1);
    return session.late == DeadlineKind::handler;
  }));
  CHECK(stream.be_late(DeadlineKind::handler) == Stream::Outcome::cut);
}

TEST_CASE_METHOD(Fixture, "an upgraded stream goes on in both directions", "[stream]") {
  session.framed = false;
  session.body = {"first"};
  Stream stream(context, session);
  stream.take_head(ask("upgrades"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(session.statuses == std::set<std::uint32_t>{101});
  CHECK(session.content == "xxxxxxxxxx");
  CHECK(session.body.empty());
  CHECK(stream.waiting_for() == WaitingFor::client_bytes);
  SECTION("until its worker ends it in order") {
    CHECK(stream.close_endless() == Stream::Outcome::closed);
    CHECK(ledger.outcome.ending == Ending::closed);
  }
  SECTION("until it is silent for too long") {
    CHECK(stream.be_late(DeadlineKind::tunnel) == Stream::Outcome::cut);
    CHECK(ledger.outcome.ending == Ending::late);
  }
  SECTION("until its client ends, and the module does not follow") {
    session.framed = session.ended = true;
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(stream.be_late(DeadlineKind::linger) == Stream::Outcome::client_left);
    CHECK(ledger.outcome.ending == Ending::client_left);
  }
  CHECK(ledger.outcome.status == 101);
  CHECK(ledger.outcome.sent == 10);
  CHECK(ledger.filters == "h.");
  CHECK(ledger.destroyed == ledger.made);
  CHECK(stats.module_faults.get() == 0);
}

TEST_CASE_METHOD(Fixture, "an upgraded stream ends with its body, whatever its client still sends",
                 "[stream]") {
  session.framed = false;
  Stream stream(context, session);
  stream.take_head(ask("upgrades_shortly"), 0);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK_FALSE(session.request_taken);
  CHECK(stream.state() == StreamState::ended);
  CHECK(ledger.outcome.ending == Ending::complete);
}

TEST_CASE_METHOD(Fixture, "a tunnel that fails before it began is replaced by an error page", "[stream]") {
  session.framed = false;
  Stream stream(context, session);
  stream.take_head(ask("upgrades_badly"), 0);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{101, 502});
}

TEST_CASE_METHOD(Fixture, "an extended CONNECT succeeds only if somebody speaks its protocol", "[stream]") {
  Stream stream(context, session);
  ask("streams");
  head.method = Method::connect;
  head.upgrade = "ledger";
  head.version = 20;
  head.body_size = kUnknownSize;
  stream.take_head(head, 0);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(session.statuses == std::set<std::uint32_t>{501});
}
