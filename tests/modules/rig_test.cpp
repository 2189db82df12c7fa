// The rig itself: it drives all that a handler may do, and notices what it may not do.
#include <catch2/catch.hpp>

#include "support/fake_exchange.h"
#include "support/fake_host.h"

using namespace sluice;
using sluice::test::FakeExchange;
using sluice::test::FakeHost;
using sluice::test::FakeServer;
using sluice::test::RequestPlan;

namespace {

// A handler made of one function.
struct Does final : Handler {
  explicit Does(std::function<void(Exchange&)> what_in) : what(std::move(what_in)) {}
  void handle(Exchange& exchange) override { what(exchange); }
  std::function<void(Exchange&)> what;
};

struct Fixture {
  FakeServer server;
  FakeHost host{server, {}};

  // The server's complaints about a handler; cleared by the call.
  std::vector<std::string> breaches(std::function<void(Exchange&)> what, RequestPlan plan = {}) {
    Does handler(std::move(what));
    FakeExchange exchange(server, std::move(plan));
    exchange.begin(handler);
    for (int i = 0; i < 5; ++i) server.turn(0);
    return std::exchange(server.violations, {});
  }
};

struct Writes final : Body {
  Writes(std::string text_in, Progress progress_in) : text(std::move(text_in)), progress(progress_in) {}
  Progress pump(Sink& sink) override {
    const Bytes piece{text.data() + written, text.size() - written};
    const Moved moved = sink.write(&piece, 1);
    written += moved.size;
    return moved.status == Io::full ? Progress::more : progress;
  }
  std::string text;
  std::size_t written = 0;
  Progress progress;
};

// Takes up to 3 bytes at a time, and is resumed by a timer when it paused.
struct Slow final : Reader, Timer {
  Slow(Host& host_in, Exchange& exchange_in) : host(host_in), exchange(exchange_in) {}
  std::uint64_t take(Bytes piece) override {
    const std::size_t size = std::min<std::size_t>(piece.size, 3);
    text.append(piece.data, size);
    if (size < piece.size) host.timer(1, *this);
    return size;
  }
  void end() override { exchange.send(text); }
  void fired() override { host.resume(exchange.ticket()); }
  Host& host;
  Exchange& exchange;
  std::string text;
};

struct Waits final : Task {
  void resumed(Exchange& exchange) override { exchange.send("later"); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a request's body is read with pauses, and answered when it ends", "[rig]") {
  Does echo([this](Exchange& exchange) {
    exchange.defer(new Waits);
    exchange.receive(new Slow(host, exchange));
  });
  RequestPlan plan;
  plan.body = {"hello", " ", "world, as pieces"};
  FakeExchange exchange(server, std::move(plan));
  CHECK(exchange.request().body_size == 22);
  exchange.begin(echo);
  // The task would answer at its first resume, so the reader must have paused first.
  REQUIRE(server.run_until([&] { return exchange.answers == 1; }));
  CHECK(exchange.content == "later");
  exchange.cancel();
  CHECK(server.violations.empty());
}

TEST_CASE_METHOD(Fixture, "a reader that takes all ends at once", "[rig]") {
  Does echo([this](Exchange& exchange) {
    exchange.defer(new Waits);
    exchange.receive(new Slow(host, exchange));
  });
  RequestPlan plan;
  plan.body = {"abc", "def"};
  FakeExchange exchange(server, std::move(plan));
  exchange.begin(echo);
  REQUIRE(server.run_until([&] { return exchange.ended(); }));
  CHECK(exchange.content == "abcdef");
  CHECK(exchange.request_body_ended);
  CHECK(exchange.complete);
}

TEST_CASE_METHOD(Fixture, "breaches of the contract are noticed", "[rig]") {
  CHECK(breaches([](Exchange& e) { e.send("x"); }).empty());
  CHECK(breaches([](Exchange&) {}).size() == 1);
  CHECK(breaches([](Exchange&) { throw std::runtime_error("oops"); }).size() == 2);
  CHECK(breaches([](Exchange& e) {
          e.send("x");
          e.send("y");
        }).size() == 1);
  CHECK(breaches([](Exchange& e) {
          e.send("x");
          e.field("A", "b");
        }).size() == 1);
  CHECK(breaches([](Exchange& e) { e.fail(200); }).size() == 1);
  CHECK(breaches([](Exchange& e) { e.stream(3, new Writes("abc", Progress::done)); }).empty());
  CHECK(breaches([](Exchange& e) { e.stream(4, new Writes("abc", Progress::done)); }).size() == 1);
  CHECK_FALSE(breaches([](Exchange& e) { e.stream(2, new Writes("abc", Progress::done)); }).empty());
  {
    FakeHost other(server, {});
    other.hold();
  }
  CHECK(std::exchange(server.violations, {}).size() == 1);
}

TEST_CASE_METHOD(Fixture, "fields are refused as the server would", "[rig]") {
  breaches([](Exchange& e) {
    CHECK(e.field("X-A", "b"));
    CHECK_FALSE(e.field("X A", "b"));
    CHECK_FALSE(e.field("", "b"));
    CHECK_FALSE(e.field("A", "b\r\nC: d"));
    CHECK_FALSE(e.field("Content-Length", "1"));
    e.send({});
  });
}

TEST_CASE_METHOD(Fixture, "the sink gives what was planned", "[rig]") {
  Does writer([](Exchange& e) { e.stream(10, new Writes("0123456789", Progress::done)); });
  RequestPlan plan;
  plan.sink.room = 4;
  plan.sink.socket = {0, 3, 1};
  FakeExchange exchange(server, std::move(plan));
  exchange.begin(writer);
  REQUIRE(server.run_until([&] { return exchange.ended(); }));
  CHECK(exchange.content == "0123456789");
  CHECK(exchange.pumps == 5);  // 3, 1, 3, 1, 2
  CHECK(exchange.complete);
}
