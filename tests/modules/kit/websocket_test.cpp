// kit/websocket.h: a connection's messages, pings and ends, without a server.
#include <sluice/kit/websocket.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_exchange.h"

using namespace sluice;
using namespace sluice::kit;

namespace {

struct Member final : WebSocket {
  std::vector<std::string>& seen;
  std::string breaks;  // which method throws
  explicit Member(std::vector<std::string>& notes) : seen(notes) {}
  void on_open() override {
    seen.emplace_back("open");
    if (breaks == "on_open") throw 1;
    send_text("welcome");
  }
  void on_text(std::string_view message) override {
    seen.push_back("text " + std::string(message));
    if (message == "close") return close(4000, "asked");
    send_text(message);
  }
  void on_binary(std::string_view message) override {
    seen.push_back("binary " + std::to_string(message.size()));
  }
  void on_close(std::uint16_t code) override {
    seen.push_back("close " + std::to_string(code));
    if (breaks == "on_close") throw 1;
  }
};

std::string masked(unsigned head, const std::string& content) {
  REQUIRE(content.size() < 126);
  std::string bytes{static_cast<char>(head), static_cast<char>(0x80U | content.size())};
  return bytes + std::string(4, '\0') + content;
}

struct Talks final : Handler {
  Host& host;
  std::vector<std::string>& seen;
  WebSocketOptions options;
  std::shared_ptr<Member> member;

  Talks(Host& of, std::vector<std::string>& notes) : host(of), seen(notes) {}
  std::string breaks;
  void handle(Exchange& exchange) override {
    if (member == nullptr) member = std::make_shared<Member>(seen);
    member->breaks = breaks;
    WebSocket::accept(exchange, host, member, options);
  }
};

struct Fixture {
  std::vector<std::string> seen;
  test::FakeServer server;
  test::FakeHost host{server, {}};
  Talks handler{host, seen};
  std::unique_ptr<test::FakeExchange> exchange;

  ~Fixture() {
    exchange.reset();
    CHECK(server.violations.empty());
  }
  void open(std::vector<std::string> frames = {}, std::uint64_t room = 1 << 20) {
    test::RequestPlan plan;
    plan.upgrade = "websocket";
    plan.fields = {{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    plan.body = std::move(frames);
    plan.body_stops = true;
    plan.sink.room = room;
    exchange = std::make_unique<test::FakeExchange>(server, plan);
    exchange->begin(handler);
    turn();
  }
  void say(const std::string& frame) {
    exchange->send_more(frame);
    turn();
  }
  void turn() {
    for (int i = 0; i < 20; ++i) {
      server.turn(0);
      if (!exchange->ended()) exchange->drive();
    }
  }
};

using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "a connection is accepted, greeted, and answered", "[kit][websocket]") {
  open({masked(0x81, "a")});
  CHECK(exchange->code == 101);
  CHECK(exchange->upgraded_to == "websocket");
  CHECK(exchange->line("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(exchange->content ==
        "\x81\x07welcome\x81\x01"
        "a");
  say(masked(0x82, "xyz"));
  CHECK(seen == Seen{"open", "text a", "binary 3"});
  CHECK(handler.member->queued() == 0);
}

TEST_CASE_METHOD(Fixture, "who is not allowed gets an answer", "[kit][websocket]") {
  handler.options.origins.any = false;
  test::RequestPlan plan;
  plan.upgrade = "websocket";
  exchange = std::make_unique<test::FakeExchange>(server, plan);
  exchange->begin(handler);
  CHECK(exchange->code == 426);
  CHECK(exchange->line("Sec-WebSocket-Version") == "13");
  CHECK(seen.empty());
  CHECK_FALSE(handler.member->send_text("nobody hears it"));
}

TEST_CASE_METHOD(Fixture, "a ping is answered with its content, a pong is not (section 5.5)",
                 "[kit][websocket]") {
  open();
  exchange->content.clear();
  say(masked(0x89, "here?"));
  CHECK(exchange->content == "\x8a\x05here?");
  exchange->content.clear();
  say(masked(0x8a, "here!"));
  CHECK(exchange->content.empty());
}

TEST_CASE_METHOD(Fixture, "a client's close is answered with its code (section 5.5.1)", "[kit][websocket]") {
  open();
  exchange->content.clear();
  SECTION("with one") {
    say(masked(0x88, "\x0f\xa1why"));
    CHECK(exchange->content == "\x88\x02\x0f\xa1");
    CHECK(seen == Seen{"open", "close 4001"});
  }
  SECTION("without one") {
    say(masked(0x88, ""));
    CHECK(exchange->content == std::string("\x88\0", 2));
    CHECK(seen == Seen{"open", "close 1005"});
  }
  SECTION("with one that may not be sent") {
    say(masked(0x88, "\x03\xee"));
    CHECK(exchange->content == "\x88\x02\x03\xea");
    CHECK(seen == Seen{"open", "close 1002"});
  }
  CHECK(exchange->complete);
  CHECK_FALSE(handler.member->send_text("too late"));
}

TEST_CASE_METHOD(Fixture, "this side's close waits for the client's", "[kit][websocket]") {
  open({masked(0x81, "close")});
  CHECK(
      exchange->content.ends_with("\x88\x07\x0f\xa0"
                                  "asked"));
  CHECK_FALSE(exchange->ended());
  CHECK_FALSE(handler.member->is_open());
  say(masked(0x81, "it crossed the close"));
  CHECK(seen == Seen{"open", "text close"});
  SECTION("which comes") {
    say(masked(0x88, "\x0f\xa0"));
    CHECK(seen.back() == "close 4000");
  }
  SECTION("which does not come in time") {
    server.advance_clock(handler.options.close_ms + 1);
    turn();
    CHECK(seen.back() == "close 1006");
  }
  CHECK(exchange->complete);
}

TEST_CASE_METHOD(Fixture, "a client that breaks the rules is told why, and not heard any more",
                 "[kit][websocket]") {
  open();
  exchange->content.clear();
  say(masked(0x83, "a") + masked(0x81, "b"));
  CHECK(exchange->content == "\x88\x02\x03\xea");
  CHECK(seen == Seen{"open", "close 1002"});
  CHECK(exchange->complete);
}

TEST_CASE_METHOD(Fixture, "a client that does not answer a ping is cut off", "[kit][websocket]") {
  open();
  exchange->content.clear();
  server.advance_clock(handler.options.ping_ms);
  turn();
  CHECK(exchange->content == std::string("\x89\0", 2));
  SECTION("unless it answers") {
    say(masked(0x8a, ""));
    server.advance_clock(handler.options.ping_ms);
    turn();
    CHECK_FALSE(exchange->ended());
    return;
  }
  server.advance_clock(handler.options.ping_ms);
  turn();
  CHECK(exchange->ended());
  CHECK(seen == Seen{"open", "close 1006"});
}

TEST_CASE_METHOD(Fixture, "a connection that breaks off is told once", "[kit][websocket]") {
  open();
  SECTION("by the client's end") {
    exchange->end_body();
    turn();
    CHECK(exchange->complete);
  }
  SECTION("by a cut") {
    exchange->cancel();
  }
  CHECK(seen == Seen{"open", "close 1006"});
}

TEST_CASE_METHOD(Fixture, "what waits for a slow client is bounded, and so is what it may ask for",
                 "[kit][websocket]") {
  handler.options.queue_max = 1000;
  open();
  exchange->takes_nothing = true;
  const std::string much(600, 'x');
  CHECK(handler.member->send_text(much));
  CHECK(handler.member->send_text(much));
  CHECK_FALSE(handler.member->send_text(much));
  const std::size_t queued = handler.member->queued();
  for (int i = 0; i < 100; ++i) say(masked(0x89, "ping"));
  CHECK(handler.member->queued() == queued);  // the reader waits as well
  exchange->takes_nothing = false;
  turn();
  CHECK(handler.member->queued() == 0);
  CHECK(exchange->content.ends_with("\x8a\x04ping"));
  std::size_t pongs = 0;
  for (std::size_t at = 0; (at = exchange->content.find("\x8a\x04ping", at)) != std::string::npos; ++at)
    ++pongs;
  CHECK(pongs == 100);
}

TEST_CASE_METHOD(Fixture, "a message in pieces may come at once", "[kit][websocket]") {
  open();
  say(masked(0x01, "a") + masked(0x00, "b") + masked(0x89, "p") + masked(0x80, "c"));
  CHECK(seen == Seen{"open", "text abc"});
  CHECK(
      exchange->content.ends_with("\x8a\x01p\x81\x03"
                                  "abc"));
}

TEST_CASE_METHOD(Fixture, "one object is for one connection", "[kit][websocket]") {
  open();
  test::RequestPlan plan;
  plan.upgrade = "websocket";
  plan.fields = {{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  test::FakeExchange again(server, plan);
  CHECK_THROWS_AS(WebSocket::accept(again, host, handler.member), std::logic_error);
  CHECK(seen == Seen{"open"});
}

TEST_CASE_METHOD(Fixture, "what the own methods throw ends the connection, and no more", "[kit][websocket]") {
  SECTION("at the beginning") {
    handler.breaks = "on_open";
    open();
    CHECK(exchange->content == "\x88\x02\x03\xf3");
    CHECK(exchange->complete);
    CHECK(seen == Seen{"open", "close 1011"});
    server.violations.clear();  // it has thrown
  }
  SECTION("at the end") {
    handler.breaks = "on_close";
    open();
    exchange->cancel();
    CHECK(seen == Seen{"open", "close 1006"});
    REQUIRE(!server.logs.empty());
    CHECK(server.logs.back().second == "on_close has thrown");
  }
}

TEST_CASE_METHOD(Fixture, "a client that sends a long message is not silent", "[kit][websocket]") {
  open();
  const std::string message = masked(0x81, std::string(100, 'x'));
  for (std::size_t i = 0; i < 10; ++i) {
    say(message.substr(i, 1));
    server.advance_clock(handler.options.ping_ms);
    turn();
    CHECK_FALSE(exchange->ended());
  }
}

TEST_CASE_METHOD(Fixture, "a close that is not answered ends also what waits for the client",
                 "[kit][websocket]") {
  open();
  exchange->takes_nothing = true;
  handler.member->send_text(std::string(1000, 'x'));
  handler.member->close();
  server.advance_clock(handler.options.close_ms + 1);
  turn();
  exchange->takes_nothing = false;
  turn();
  CHECK(exchange->cut);
  CHECK(seen == Seen{"open", "close 1006"});
}

TEST_CASE_METHOD(Fixture, "text that is no UTF-8 is not sent", "[kit][websocket]") {
  open();
  CHECK_FALSE(handler.member->send_text("\xff"));
  CHECK(handler.member->send_binary("\xff"));
}
