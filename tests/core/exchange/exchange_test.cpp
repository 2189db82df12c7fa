// One request and its answer, without a stream: what a handler's calls make of the answer.
#include "exchange/exchange.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/http_fields.h"
#include "support/connection_fixture.h"

using namespace sluice;

namespace {

struct Driver final : ExchangeDriver {
  Ticket exchange_ticket() override { return Ticket{1}; }
  PeerAddress peer_address() override { return {}; }
  bool send_early_hints(std::string_view) override { return true; }
  PeerFacts peer_facts() override { return {}; }
};

struct Fixture : test::ConnectionFixture {
  RequestHead head;
  Driver driver;
  HttpExchange exchange;

  Fixture() {
    mount("ledger");
    begin(Method::get);
  }
  void begin(Method method) {
    exchange.end();
    head.method = method;
    exchange.begin(head, 0, driver);
    exchange.route({InstanceRef(router.find(0, "/ledger/").instance), "", "/ledger/", ""});
  }
};

struct Writes final : Body {
  Progress pump(Sink&) override { return Progress::done; }
};

struct Holds final : Holder {
  void release() override {}
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an answer of 205 has no content, and says so by its size", "[exchange]") {
  Holds holder;
  exchange.status(205);
  SECTION("sent") {
    exchange.send("content");
  }
  SECTION("held") {
    exchange.send_held("content", holder);
  }
  SECTION("streamed") {
    exchange.stream(7, new Writes);
  }
  SECTION("streamed without a size") {
    exchange.stream(kUnknownSize, new Writes);
  }
  SECTION("for HEAD") {
    begin(Method::head);
    exchange.status(205);
    exchange.stream(kUnknownSize, new Writes);
  }
  CHECK(exchange.answer().status == 205);
  CHECK(exchange.answer().size == 0);
  CHECK(exchange.answer().content.empty());
  CHECK_FALSE(exchange.answer().body);
  exchange.end();
}

TEST_CASE_METHOD(Fixture, "fields and status are set before the answer, not after it", "[exchange]") {
  const FieldBlock block("Prepared: yes\r\n");
  CHECK(exchange.field("Before", "yes"));
  exchange.send("content");
  CHECK_FALSE(exchange.field("After", "yes"));
  exchange.fields(block);
  exchange.status(404);
  CHECK(stats.module_faults.get() == 3);
  CHECK(exchange.field_lines() == "Before: yes\r\n");
  CHECK(exchange.answer().status == 200);
}
