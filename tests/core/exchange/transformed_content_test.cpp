// What filters make of an answer's content: transforms of it, and bodies in its place.
#include <catch2/catch.hpp>
#include <string>

#include "support/filter_fixture.h"

using namespace sluice;
using Fixture = test::FilterFixture;

TEST_CASE_METHOD(Fixture, "transforms change the content, the innermost first", "[filters]") {
  SECTION("of a body") {
    place_filter("/", "transform", "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(session.content == std::string(6000, 'X') + "END");
    CHECK(session.declared == kUnknownSize);
  }
  SECTION("of a body, to a known size") {
    place_filter("/", "transform_sized", "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(session.content == std::string(6000, 'X') + "END");
    CHECK(session.declared == 6003);
  }
  SECTION("of sent bytes, by two filters") {
    place_filter("/", "transform", "a");
    place_filter("/", "transform", "b");
    place_filter("/", "answers", "c");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(session.content.starts_with("BBBBYYYY    "));
    CHECK(session.content.ends_with("CCCCEENNDDEND"));
  }
  SECTION("little by little") {
    session.room = GENERATE(1U, 2U, 3U, 100U);
    place_filter("/", "transform", "a");
    place_filter("/", "answers", "c");
    stream.take_head(ask("x"), 0);
    Stream::Outcome outcome = advance(stream);
    // A sink with less room than the transform needs never goes on.
    for (int i = 0; i < 100 && outcome == Stream::Outcome::waits; ++i) outcome = advance(stream);
    if (session.room >= 3) CHECK(session.content == "BBYY  TTHHEE  FFIILLTTEERR  CCEND");
  }
  SECTION("not of an answer to HEAD") {
    place_filter("/", "transform", "a");
    head.method = Method::head;
    const RequestHead& asked = ask("streams");
    head.method = Method::head;
    stream.take_head(asked, 0);
    CHECK(finish() == Stream::Outcome::sent);
    CHECK(session.content.empty());
    CHECK(session.declared == kUnknownSize);
  }
  stream.cut();
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a transform may keep the size, also of nothing, and resume itself at once",
                 "[filters]") {
  place_filter("/", "keeps", "a");
  SECTION("content") {
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(session.content == std::string(3000, 'x'));
    CHECK(session.declared == 3000);
  }
  SECTION("no content") {
    place_filter("/", "answers_nothing", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(session.declared == 0);
  }
  CHECK(ledger.outcome.ending == Ending::complete);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a body behind a transform writes what it has declared", "[filters]") {
  const std::string way = GENERATE("underruns", "overruns");
  place_filter("/", "transform", "a");
  CHECK(run(way) == Stream::Outcome::sent);
  CHECK(status() == 502);
  CHECK(stats.module_faults.get() == 1);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a finite answer behind a transform is not ended as one without an end",
                 "[filters]") {
  place_filter("/", "transform", "a");
  stream.take_head(ask("parks"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK_FALSE(stream.waits_endlessly());
  stream.cut();
}

TEST_CASE_METHOD(Fixture, "what waits behind a transform waits, and goes on when its module says so",
                 "[filters]") {
  place_filter("/", "transform", "a");
  stream.take_head(ask("endless"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(stream.waits_endlessly());
  CHECK(session.content == std::string(20, 'X'));
  CHECK(stream.wake(*router.filters(0).front().instance.get()));  // the body is not the filter's
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(stream.close_endless() == Stream::Outcome::closed);
  CHECK(ledger.outcome.ending == Ending::closed);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a transform that fails ends the answer", "[filters]") {
  const std::string way = GENERATE("transform_throws", "transform_fails");
  place_filter("/", "passes", "a");
  place_filter("/", way, "b");
  CHECK(run("streams") == Stream::Outcome::sent);  // nothing was sent yet
  CHECK(status() == (way == "transform_throws" ? 500 : 502));
  CHECK(has_line("Transformed: no"));
  CHECK(ledger.filters.ends_with("b.a."));
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a transform that does nothing is late", "[filters]") {
  const std::string way = GENERATE("transform_takes_nothing", "transform_parks");
  place_filter("/", way, "a");
  stream.take_head(ask("streams"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(stream.be_late(DeadlineKind::handler) == Stream::Outcome::cut);
  CHECK(ledger.outcome.ending == Ending::late);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a filter's body takes the place of the content, which is not read", "[filters]") {
  SECTION("of a body") {
    place_filter("/", GENERATE("replace", "replace_sized"), "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(session.content == "other");
  }
  SECTION("of sent bytes") {
    place_filter("/", "replace_sized", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(session.content == "other");
    CHECK(session.declared == 5);
  }
  SECTION("of an answer without an end, and it has one") {
    place_filter("/", "replace_never", "a");
    stream.take_head(ask("endless"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    CHECK(session.content.empty());
    CHECK(stream.be_late(DeadlineKind::handler) == Stream::Outcome::cut);
    CHECK(stats.module_faults.get() == 1);
  }
  SECTION("little by little") {
    session.room = 1;
    place_filter("/", "replace", "a");
    Stream::Outcome outcome = run("streams");
    for (int i = 0; i < 10 && outcome == Stream::Outcome::waits; ++i) outcome = advance(stream);
    CHECK(session.content == "other");
  }
  SECTION("and outer filters change it") {
    place_filter("/", "transform", "a");
    place_filter("/", "replace", "b");
    place_filter("/", "transform", "c");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(session.content == "OOTTHHEERREND");
  }
  SECTION("not of an answer that has none") {
    place_filter("/", "replace_sized", "a");
    place_filter("/", "sets_304", "b");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(has_line("Replaced: no"));
    CHECK(session.content.empty());
  }
  SECTION("after HEAD it is only declared") {
    place_filter("/", "replace_sized", "a");
    const RequestHead& asked = ask("streams");
    head.method = Method::head;
    stream.take_head(asked, 0);
    CHECK(finish() == Stream::Outcome::sent);
    CHECK(session.content.empty());
    CHECK(session.declared == 5);
  }
  SECTION("one that fails gives its place to a page, which is not replaced") {
    const std::string way = GENERATE("replace_fails", "replace_throws");
    place_filter("/", way, "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(status() == (way == "replace_throws" ? 500 : 502));
    CHECK(has_line("Replaced: no"));
  }
  stream.cut();
  CHECK(ledger.made == ledger.destroyed);
}
