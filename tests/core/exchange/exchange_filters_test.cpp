// Filters before and behind a handler: who is asked, in which order, and what becomes of the answer.
#include <catch2/catch.hpp>
#include <string>

#include "support/filter_fixture.h"

using namespace sluice;
using Fixture = test::FilterFixture;

TEST_CASE_METHOD(Fixture, "filters are asked in order, and see the answer and the end in the reverse one",
                 "[filters]") {
  place_filter("/", "passes", "a");
  place_filter("/other/", "passes", "x");
  place_filter("/ledger/", "passes", "b");
  CHECK(run("streams") == Stream::Outcome::sent);
  CHECK(status() == 200);
  CHECK(ledger.filters == "a?b?b!a!b.a.");
  CHECK(has_line("Passed: a ab"));
  CHECK(has_line("Passed: b ab"));
  CHECK(session.content == std::string(3000, 'x'));
  CHECK(ledger.outcome.status == 200);
  CHECK(ledger.outcome.sent == 3000);
  CHECK(ledger.outcome.ending == Ending::complete);
  CHECK(stats.module_faults.get() == 0);
}

TEST_CASE_METHOD(Fixture, "a filter that answers does not see its answer, but those outside it do",
                 "[filters]") {
  place_filter("/", "passes", "a");
  place_filter("/", "answers", "b");
  place_filter("/", "passes", "c");
  CHECK(run("streams") == Stream::Outcome::sent);
  CHECK(ledger.filters == "a?b?a!b.a.");
  CHECK(session.content == "by the filter b");
  CHECK(has_line("Passed: a ab"));
  CHECK_FALSE(has_line("Passed: b ab"));
}

TEST_CASE_METHOD(Fixture, "filters see what the server answers in place of a handler", "[filters]") {
  place_filter("/", "passes", "a");
  SECTION("nobody is mounted there") {
    target = "/nowhere?" + way_to("x").substr(std::string("/ledger/x?").size());
    head.target = target;
    stream.take_head(head, 0);
    CHECK(finish() == Stream::Outcome::sent);
    CHECK(status() == 404);
  }
  SECTION("the handler threw") {
    CHECK(run("throws") == Stream::Outcome::sent);
    CHECK(status() == 500);
  }
  CHECK(ledger.filters == "a?a!a.");
  CHECK(has_line("Passed: a a"));
}

TEST_CASE_METHOD(Fixture, "a body that fails at once is replaced by a page, which the filters see, too",
                 "[filters]") {
  place_filter("/", "passes", "a");
  CHECK(run("fails") == Stream::Outcome::sent);
  CHECK(status() == 502);
  CHECK(ledger.filters == "a?a!a!a.");
  CHECK(has_line("Passed: a a"));
  CHECK(ledger.outcome.status == 502);
}

TEST_CASE_METHOD(Fixture, "a filter may decide later", "[filters]") {
  place_filter("/", "passes", "a");
  const std::string way = GENERATE("defers", "defers_answers", "defers_throws");
  place_filter("/", way, "b");
  place_filter("/", "passes", "c");
  CHECK(run("streams") == Stream::Outcome::sent);
  if (way == "defers") {
    CHECK(status() == 200);
    CHECK(ledger.filters == "a?b?c?c!b!a!c.b.a.");
  } else {
    CHECK(status() == (way == "defers_answers" ? 403 : 500));
    CHECK(ledger.filters == "a?b?a!b.a.");
  }
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a filter that defers and passes at once leaves the handler free to defer",
                 "[filters]") {
  place_filter("/", "defers_and_passes", "a");
  CHECK(run("defers_shortly") == Stream::Outcome::waits);
  REQUIRE(stream.wake(module()));
  CHECK(advance(stream) == Stream::Outcome::sent);
}

TEST_CASE_METHOD(Fixture, "a filter that never decides is overdue", "[filters]") {
  place_filter("/", "defers_for_ever", "a");
  stream.take_head(ask("streams"), 0);
  CHECK(advance(stream) == Stream::Outcome::waits);
  CHECK(stream.be_late(DeadlineKind::handler) == Stream::Outcome::waits);
  CHECK(advance(stream) == Stream::Outcome::sent);
  CHECK(status() == 504);
  CHECK(ledger.filters == "a?a.");
  CHECK(stats.module_faults.get() == 1);
}

TEST_CASE_METHOD(Fixture, "a filter that throws costs its request an error, and the others see it",
                 "[filters]") {
  const std::string way = GENERATE("throws", "throws_late", "throws_at_end");
  place_filter("/", "passes", "a");
  place_filter("/", way, "b");
  place_filter("/", "passes", "c");
  CHECK(run("streams") == Stream::Outcome::sent);
  CHECK(status() == (way == "throws_at_end" ? 200 : 500));
  CHECK(has_line("Passed: a " + std::string(way == "throws" ? "ab" : "abc")));
  CHECK(stats.module_faults.get() == 1);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "a closed filter answers 503, since it may guard what is behind it", "[filters]") {
  place_filter("/", "passes", "a");
  router.add_filter(0, "/ledger/", InstanceRef());
  CHECK(run("streams") == Stream::Outcome::sent);
  CHECK(status() == 503);
  CHECK(has_line("Retry-After: 30"));
  CHECK(has_line("Passed: a a"));
}

TEST_CASE_METHOD(Fixture, "a filter without its last slash guards that path, too", "[filters]") {
  place_filter("/ledger/", "answers", "a");
  target = "/ledger";
  head.target = target;
  head.method = Method::get;
  stream.take_head(head, 0);
  CHECK(finish() == Stream::Outcome::sent);
  CHECK(session.content == "by the filter a");
}

TEST_CASE_METHOD(Fixture, "a filter changes the head", "[filters]") {
  SECTION("removes lines") {
    place_filter("/", "removes", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(session.fields.find("Content-Type") == std::string::npos);
  }
  SECTION("sets lines") {
    place_filter("/", "sets", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(has_line("Content-Type: text/x-a"));
    CHECK_FALSE(has_line("Content-Type: text/plain"));
  }
  SECTION("an invalid line changes nothing") {
    place_filter("/", "breaks_field", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(has_line("Content-Type: text/plain"));
    CHECK(stats.module_faults.get() == 1);
  }
  SECTION("copies lines and notes that it sees") {
    place_filter("/", "copies", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    std::size_t copies = 0;
    for (std::size_t at = 0; (at = session.fields.find("Copy: text/plain\r\n", at)) != std::string::npos; ++at)
      ++copies;
    INFO(session.fields);
    CHECK(copies == 100);
    CHECK(has_line("Content-Type: text/plain"));
  }
  SECTION("asks for lines in any order") {
    place_filter("/", "asks_lines", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(has_line("Found: Two,One,Three,,Three,,Four,Content-Type,"));
  }
  SECTION("sees status, size and lines") {
    place_filter("/", "shows", "a");
    place_filter("/", "answers", "b");
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(has_line("Seen: 200 15 Content-Type text/plain"));
  }
  SECTION("sets a status without content") {
    place_filter("/", "sets_304", "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(status() == 304);
    CHECK(session.content.empty());
    CHECK(ledger.made == ledger.destroyed);
  }
  SECTION("has set lines before the handler was asked") {
    place_filter("/", "sets_field", "a");
    CHECK(run("streams") == Stream::Outcome::sent);
    CHECK(has_line("Set-Before: yes"));
  }
}

TEST_CASE_METHOD(Fixture, "a request is handed over to another path", "[filters]") {
  const std::string to = way_to("streams");
  SECTION("whose filters are asked, too, but none twice") {
    place_filter("/", "hands_over", "a", to);
    place_filter("/ledger/", "passes", "b");
    target = "/elsewhere?" + to.substr(to.find('?') + 1);
    head.target = target;
    head.method = Method::get;
    stream.take_head(head, 0);
    CHECK(finish() == Stream::Outcome::sent);
    CHECK(status() == 200);
    CHECK(ledger.filters == "a?b?b!a!b.a.");
  }
  SECTION("a filter written before the one that hands over guards the new path") {
    place_filter("/ledger/", "answers", "guard");
    place_filter("/elsewhere/", "hands_over", "a", to);
    target = "/elsewhere/";
    head.target = target;
    head.method = Method::get;
    stream.take_head(head, 0);
    CHECK(finish() == Stream::Outcome::sent);
    CHECK(session.content == "by the filter guard");
  }
  SECTION("twice at once is a fault") {
    place_filter("/", "hands_over_twice", "a", to);
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(status() == 200);
    CHECK(stats.module_faults.get() == 1);
  }
  SECTION("what is no path is a fault") {
    place_filter("/", "hands_over", "a", GENERATE("http://example.org/", "", "relative", "/../up", "*"));
    CHECK(run("x") == Stream::Outcome::sent);
    CHECK(status() == 500);
    CHECK(stats.module_faults.get() == 1);
  }
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "what is handed over without end is answered with 508", "[filters]") {
  for (int i = 0; i < 10; ++i) place_filter("/", "hands_over", "a", way_to("streams"));
  CHECK(run("x") == Stream::Outcome::sent);
  CHECK(status() == 508);
}

TEST_CASE_METHOD(Fixture, "a filter that takes the body has to answer", "[filters]") {
  session.body = {"content"};
  place_filter("/", "takes_body", "a");
  CHECK(run("streams", 7) == Stream::Outcome::sent);
  CHECK(status() == 500);
  CHECK(stats.module_faults.get() == 1);
  CHECK(ledger.made == ledger.destroyed);
}

TEST_CASE_METHOD(Fixture, "the end of an exchange says how it was", "[filters]") {
  place_filter("/", "passes", "a");
  SECTION("cut") {
    CHECK(run("fails_late") == Stream::Outcome::cut);
    CHECK(ledger.outcome.ending == Ending::cut);
  }
  SECTION("its client has left") {
    session.lost_after = 10;
    CHECK(run("streams") == Stream::Outcome::client_left);
    CHECK(ledger.outcome.ending == Ending::client_left);
  }
  SECTION("its session was cut before an answer") {
    stream.take_head(ask("defers"), 0);
    CHECK(advance(stream) == Stream::Outcome::waits);
    stream.cut();
    CHECK(ledger.outcome.ending == Ending::client_left);
    CHECK(ledger.outcome.status == 0);
  }
  CHECK(ledger.filters.ends_with("a."));
}
