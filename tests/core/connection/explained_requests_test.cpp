// Requests without a client: they go through a worker's filters and handlers, and what is decided is told.
#include "connection/explained_requests.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "support/fake_session.h"

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

struct Fixture : test::StreamFixture {
  ExplainedRequests explained{context};
  std::optional<Explanation> told;

  Fixture() {
    mount("defer");
    table.pass_other_tickets_to(explained);
  }
  ~Fixture() { explained.close_all(); }

  void begin(ExplainQuery query) {
    told.reset();
    explained.explain(query, site.address, [this](const Explanation& answer) {
      CHECK_FALSE(told);
      told = answer;
    });
  }
  // What is decided, in lines, when the answer has come.
  std::string explain(ExplainQuery query) {
    begin(std::move(query));
    REQUIRE(turn_until([&] { return told.has_value(); }));
    loop->turn(0);
    std::string lines;
    for (const ExplainedDecision& decision : told->decisions)
      lines += decision.by + ": " + decision.what + "\n";
    return lines;
  }
  ExplainQuery get(const std::string& target) {
    ExplainQuery query;
    query.host = "example.org";
    query.target = target;
    return query;
  }
  // What the module "ledger" answers to.
  ExplainQuery ledger_way(const std::string& way) {
    ask(way);
    return get(target);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an explained request has the head of its answer, and who has decided", "[explain]") {
  place_filter("/defer/", "passes");
  const std::string lines = explain(get("/defer/x"));
  CHECK_THAT(lines, Contains("server: takes the site ") && Contains("for the name 'example.org'\n"));
  CHECK_THAT(lines, Contains("filters at /defer/, generation 1: lets the request pass\n"));
  CHECK_THAT(lines, Contains("defer at /defer/, generation 1: answers 200\n"));
  CHECK(told->status == 200);
  CHECK_THAT(told->head, Contains("HTTP/1.1 200 OK\r\n") && Contains("Content-Type: text/plain\r\n") &&
                             Contains("Content-Length: 11\r\n"));
  CHECK(told->ending.empty());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Fixture, "the server tells its own decisions", "[explain]") {
  CHECK_THAT(explain(get("/nowhere/x")), Contains("server: answers 404: nothing is mounted at /nowhere/x"));
  CHECK(told->status == 404);
  CHECK_THAT(explain(get("/defer?q")), Contains("sends the client to /defer/"));
  CHECK_THAT(told->head, Contains("Location: /defer/?q\r\n"));
  CHECK_THAT(explain(get("/%zz")), Contains("answers 400: "));
  ExplainQuery broken = get("/a b");
  CHECK_THAT(explain(broken), Contains("refuses the head of the request: "));
  CHECK(told->status == 400);
  broken = get("/");
  broken.fields = {{"X", "a\r\n\r\nGET / HTTP/1.1"}};
  CHECK_THAT(explain(broken), Contains("refuses the head"));
}

TEST_CASE_METHOD(Fixture, "an explained request ends, whatever its answer does", "[explain]") {
  for (const std::string way : {"streams", "fails", "throws", "twice", "nothing", "overruns"}) {
    CAPTURE(way);
    explain(ledger_way(way));
    CHECK((told->status == 0) == told->head.empty());
    CHECK(ledger.destroyed == ledger.made);
  }
  for (const std::string way : {"endless", "parks", "defers"}) {
    CAPTURE(way);
    begin(ledger_way(way));
    for (int i = 0; i < 10; ++i) loop->turn(1);
    explained.close_all();
    loop->turn(0);
    CHECK(ledger.destroyed == ledger.made);
  }
}

TEST_CASE_METHOD(Fixture, "an answer that does not come in time is told as such", "[explain]") {
  loop->deadlines().set_duration(DeadlineKind::handler, 20);
  CHECK_THAT(explain(ledger_way("defers")), Contains("server: does not wait any longer"));
  CHECK(told->status == 504);
}

TEST_CASE_METHOD(Fixture, "only some requests are explained at once", "[explain]") {
  for (std::size_t i = 0; i < ExplainedRequests::kAtOnceMax; ++i) begin(ledger_way("defers"));
  CHECK_FALSE(told);
  begin(get("/defer/"));
  REQUIRE(told);
  CHECK_THAT(told->ending, Contains("try again"));
}
