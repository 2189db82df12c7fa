// Streams under random sequences of what can happen to one. Whatever comes, in any order: states are legal, an
// answer that was sent is as long as it was declared, and what the handler made is destroyed once.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iterator>
#include <random>

#include "support/fake_session.h"

using namespace sluice;
using test::kWays;

namespace {

struct Fixture : test::StreamFixture {
  std::mt19937 random;
  Stream stream{context, session};

  unsigned below(unsigned count) { return static_cast<unsigned>(random() % count); }

  void begin() {
    session.room = 1 + below(4000);
    session.lost_after = below(8) == 0 ? below(4000) : ~std::uint64_t{0};
    session.begins = below(10) == 0 ? Io::full : Io::ok;
    session.keeps = below(4) != 0;
    session.framed = below(4) != 0;
    session.client_lost = session.ended = false;
    session.left.clear();
    session.body = {"some", "of the body"};
    head.version = 10 + below(2);
    stream.take_head(ask(kWays[below(std::size(kWays))], 15), 0);
  }

  // Something happens to the stream, or to what it waits for.
  Stream::Outcome step() {
    switch (below(10)) {
      case 0:
        session.room = 1 + below(4000);
        break;
      case 1:
        session.begins = Io::ok;
        break;
      case 2:
        session.framed = true;
        break;
      case 3:
        session.client_lost = session.ended = below(3) == 0;
        break;
      case 4:
        stream.wake(module());
        break;
      case 5:
        stream.settle(below(2) == 0, below(2) == 0);
        return Stream::Outcome::waits;
      case 6:
        return stream.be_late(below(2) == 0 ? DeadlineKind::handler : DeadlineKind::body);
      case 7:
        return below(4) == 0 && stream.waits_endlessly() ? stream.close_endless() : Stream::Outcome::waits;
      default:
        break;
    }
    return stream.is_at_work() ? stream.advance() : Stream::Outcome::waits;
  }

  void check(Stream::Outcome outcome) {
    const bool at_work = stream.is_at_work();
    REQUIRE(at_work == (outcome == Stream::Outcome::waits));
    REQUIRE_FALSE(session.sink.has_value());
    if (!at_work) REQUIRE(ledger.destroyed == ledger.made);
    REQUIRE(ledger.destroyed <= ledger.made);
    if (outcome != Stream::Outcome::sent) return;
    REQUIRE((stream.state() == StreamState::parsing) == (session.keeps && session.request_taken));
    if (session.declared != kUnknownSize) REQUIRE(session.sent - session.begun_size == session.declared);
  }

  void run(unsigned seed) {
    CAPTURE(seed);
    random.seed(seed);
    for (unsigned requests = 0; requests < 5; ++requests) {
      begin();
      Stream::Outcome outcome = Stream::Outcome::waits;
      for (int i = 0; i < 40 && stream.is_at_work(); ++i) {
        outcome = step();
        check(outcome);
      }
      if (stream.is_at_work()) stream.cut();
      REQUIRE(ledger.destroyed == ledger.made);
      stream.reuse();
      REQUIRE(stream.state() == StreamState::parsing);
    }
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "random sequences end every stream in order", "[stream]") {
  for (unsigned seed = 1; seed <= 2'000; ++seed) run(seed);
}

TEST_CASE_METHOD(Fixture, "new random sequences end every stream in order", "[stream][full]") {
  std::random_device seeds;
  for (int i = 0; i < 100'000; ++i) run(seeds());
}
