// HTTP/2 over a socket pair: requests, both directions' windows, resets, and how connections end.
#include "connection/http2_session.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/http2_fixture.h"

using namespace sluice;
using sluice::test::Http2Fixture;
using sluice::test::Http2Wire;

namespace {

std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE_METHOD(Http2Fixture, "a client may begin with HTTP/2 where that is allowed", "[http2_session]") {
  SECTION("at once") {
    begin();
    CHECK(ask(1, Http2Wire::request("/none")).status == "404");
    CHECK(wire.settings_acknowledged() == 1);
  }
  SECTION("byte by byte") {
    connect();
    answers = false;
    for (const char byte : wire.preface() + wire.get(1, "/none")) say(std::string(1, byte));
    CHECK(wire.answer(1).status == "404");
  }
  SECTION("and others speak HTTP/1.1") {
    CHECK(status_of("GET /none HTTP/1.1\r\nHost: a\r\n\r\n") == "404");
    CHECK(status_of("PUT /none HTTP/1.1\r\nHost: a\r\n\r\n") == "404");
  }
  SECTION("elsewhere it is no request") {
    site.address.http2_clear = false;
    CHECK(status_of(wire.preface()) == "400");
  }
}

TEST_CASE_METHOD(Http2Fixture, "an idle connection keeps its session, but no buffers", "[http2_session]") {
  begin();
  for (const std::uint32_t id : {1U, 3U, 5U}) {
    CHECK(ask(id, Http2Wire::request("/none")).status == "404");
    CHECK(table.at(0)->is_idle());
    CHECK(inputs.small.lent() + inputs.large.lent() + outputs.lent() == 0);
  }
  CHECK(stats.requests.get() == 3);
  CHECK(stats.answers_by_class[4].get() == 3);
}

TEST_CASE_METHOD(Http2Fixture, "requests that come together are answered together", "[http2_session]") {
  begin();
  std::string requests;
  for (std::uint32_t id = 1; id < 200; id += 2) requests += wire.get(id, "/none");
  say(requests);
  CHECK(hear_until([&] { return wire.is_done(199); }));
  for (std::uint32_t id = 1; id < 200; id += 2) CHECK(wire.answer(id).status == "404");
}

TEST_CASE_METHOD(Http2Fixture, "an answer fits into both windows", "[http2_session]") {
  mount("echo");
  const std::string sent = numbered(60'000);
  SECTION("of the stream") {
    begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}});
    wire.opens_windows = false;
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
    say(Http2Wire::data(1, std::string_view(sent).substr(0, 16'000), false));
    CHECK(hear_until([&] { return wire.answer(1).content.size() == 1000; }));
    say(Http2Wire::window_update(1, 500));
    CHECK(hear_until([&] { return wire.answer(1).content.size() == 1500; }));
    CHECK((wire.answer(1).content == sent.substr(0, 1500)));
  }
  SECTION("of the connection") {
    begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1'000'000}});
    wire.opens_windows = false;
    for (const std::uint32_t id : {1U, 3U}) {
      say(wire.headers(id, Http2Wire::request("/echo/", "POST"), false));
      for (std::size_t at = 0; at < sent.size(); at += 15'000)
        say(Http2Wire::data(id, std::string_view(sent).substr(at, 15'000), false));
    }
    CHECK(hear_until([&] { return wire.answer(1).content.size() + wire.answer(3).content.size() == 65'535; }));
    say(Http2Wire::window_update(0, 100'000));
    CHECK(hear_until([&] { return wire.answer(3).content == sent; }));
    CHECK((wire.answer(1).content == sent));
  }
  SECTION("that change while it is sent") {
    begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
    wire.opens_windows = false;
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false) + Http2Wire::data(1, "hello"));
    CHECK(wire.answer(1).status == "200");
    CHECK(wire.answer(1).content == "");
    say(Http2Wire::frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4\0\0\0\3", 6)));
    CHECK(hear_until([&] { return wire.answer(1).content == "hel"; }));
    say(Http2Wire::window_update(1, 10));
    CHECK(hear_until([&] { return wire.answer(1).ended; }));
    CHECK(wire.answer(1).content == "hello");
  }
}

TEST_CASE_METHOD(Http2Fixture, "no answer starves while the connection's window is small", "[http2_session]") {
  mount("echo");
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1'000'000}});
  wire.opens_windows = false;
  const std::string sent = numbered(60'000);
  for (const std::uint32_t id : {1U, 3U, 5U}) {
    say(wire.headers(id, Http2Wire::request("/echo/", "POST"), false));
    for (std::size_t at = 0; at < sent.size(); at += 15'000)
      say(Http2Wire::data(id, std::string_view(sent).substr(at, 15'000), at + 15'000 == sent.size()));
  }
  CHECK(ask(7, Http2Wire::request("/none", "HEAD")).status == "404");
  for (int i = 0; i < 12; ++i) say(Http2Wire::window_update(0, 10'000));
  for (const std::uint32_t id : {1U, 3U, 5U}) CHECK(wire.answer(id).content.size() > 40'000);
}

TEST_CASE_METHOD(Http2Fixture, "bodies of any size pass in both directions at once", "[http2_session]") {
  mount("echo");
  begin();
  const std::string sent = numbered(1'000'000);
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  std::size_t window = 65'535;
  for (std::size_t at = 0; at < sent.size();) {
    const std::size_t part = std::min<std::size_t>(10'000, sent.size() - at);
    // The server gives back what the reader has taken, which the answer shows.
    if (at + part > window) {
      REQUIRE(hear_until([&] { return wire.answer(1).content.size() + 65'535 / 2 > at; }));
      window = wire.answer(1).content.size() + 65'535 / 2;
      if (at + part > window) continue;
    }
    say(Http2Wire::data(1, std::string_view(sent).substr(at, part), at + part == sent.size()));
    at += part;
  }
  CHECK(hear_until([&] { return wire.answer(1).ended; }));
  CHECK((wire.answer(1).content == sent));
}

TEST_CASE_METHOD(Http2Fixture, "a reader that pauses holds only its stream", "[http2_session]") {
  mount("slow_reader");
  mount("echo");
  begin();
  const std::string piece(16'000, 'x');
  say(wire.headers(1, Http2Wire::request("/slow_reader/", "POST"), false));
  for (int i = 0; i < 4; ++i) say(Http2Wire::data(1, piece, false));
  CHECK(ask(3, Http2Wire::request("/echo/", "POST"), numbered(16'000)).content.size() == 16'000);
  CHECK_FALSE(wire.is_done(1));
}

TEST_CASE_METHOD(Http2Fixture, "a reset cancels its stream and no other", "[http2_session]") {
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  say(wire.headers(3, Http2Wire::request("/echo/", "POST"), false));
  say(Http2Wire::data(1, "one", false));
  CHECK(wire.answer(1).content == "one");
  say(Http2Wire::reset(1) + Http2Wire::data(3, "three"));
  CHECK(hear_until([&] { return wire.answer(3).ended; }));
  CHECK(wire.answer(3).content == "three");
  CHECK_FALSE(wire.answer(1).ended);
  CHECK(stats.module_faults.get() == 0);
}

TEST_CASE_METHOD(Http2Fixture, "a body that nobody wants is discarded, or its client is told to stop",
                 "[http2_session]") {
  begin();
  SECTION("a short one is taken before the answer") {
    const auto& answer = ask(1, Http2Wire::request("/none", "POST"), "short");
    CHECK(answer.status == "404");
    CHECK_FALSE(answer.was_reset);
  }
  SECTION("a long one gets its answer, and after a while a reset without an error") {
    loop->deadlines().set_duration(DeadlineKind::linger, 30);
    say(wire.headers(1, Http2Wire::request("/none", "POST", {{"content-length", "10000000"}}), false));
    CHECK(hear_until([&] { return wire.answer(1).was_reset; }));
    CHECK(wire.answer(1).status == "404");
    CHECK(wire.answer(1).ended == true);
    CHECK(wire.answer(1).reset_code == NGHTTP2_NO_ERROR);
  }
}

TEST_CASE_METHOD(Http2Fixture, "100 (Continue) comes before the answer", "[http2_session]") {
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST", {{"expect", "100-continue"}}), false));
  CHECK(wire.answer(1).interim == std::vector<std::string>{"100"});
  say(Http2Wire::data(1, "x"));
  CHECK(hear_until([&] { return wire.answer(1).ended; }));
  CHECK(wire.answer(1).content == "x");
}

TEST_CASE_METHOD(Http2Fixture, "faults of modules reset their streams alone", "[http2_session]") {
  mount("awkward");
  mount("fails");
  mount("underrun");
  mount("overrun");
  mount("thrower");
  begin();
  std::uint32_t id = 1;
  for (const char* path : {"/underrun/", "/overrun/"}) {
    INFO(path);
    const auto& answer = ask(id, Http2Wire::request(path));
    CHECK(answer.was_reset);
    CHECK(answer.reset_code == NGHTTP2_INTERNAL_ERROR);
    CHECK_FALSE(answer.ended);
    id += 2;
  }
  CHECK(ask(id, Http2Wire::request("/thrower/")).status == "500");
  CHECK(ask(id + 2, Http2Wire::request("/fails/")).reset_code == NGHTTP2_INTERNAL_ERROR);
  CHECK(ask(id + 4, Http2Wire::request("/none")).status == "404");
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(Http2Fixture, "what is no HTTP/2 ends the connection", "[http2_session]") {
  begin();
  say(Http2Wire::frame(NGHTTP2_DATA, 0, 0, "x"));
  CHECK(wire.was_told_to_go(NGHTTP2_PROTOCOL_ERROR));
  client.reset();
  CHECK(ends());
}

TEST_CASE_METHOD(Http2Fixture, "a worker that ends leaves no request unanswered", "[http2_session]") {
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  context.draining = true;
  CHECK_FALSE(table.ask_to_leave());
  hear();
  REQUIRE(wire.goaways().size() >= 1);
  CHECK(wire.goaways()[0].last == 0x7fffffff);
  CHECK(wire.goaways()[0].code == NGHTTP2_NO_ERROR);
  SECTION("one that was under way is served to its end") {
    CHECK(hear_until([&] { return wire.goaways().size() == 2; }));
    CHECK(wire.goaways()[1].last == 1);
    say(Http2Wire::data(1, "done"));
    CHECK(hear_until([&] { return wire.answer(1).ended; }));
    CHECK(wire.answer(1).content == "done");
    client.reset();
    CHECK(ends());
  }
}

TEST_CASE_METHOD(Http2Fixture, "an idle connection of a worker that ends is closed at once",
                 "[http2_session]") {
  begin();
  CHECK(ask(1, Http2Wire::request("/none")).status == "404");
  SECTION("when it has to") {
    table.close_idle();
  }
  SECTION("when clients should go elsewhere") {
    table.ask_to_leave();
  }
  SECTION("in favour of another one") {
    CHECK(table.make_room());
  }
  hear();
  CHECK(wire.was_told_to_go(NGHTTP2_NO_ERROR));
  CHECK(wire.goaways().back().last == 1);
  CHECK(at_end());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Http2Fixture, "waits for a client end", "[http2_session]") {
  mount("echo");
  SECTION("for its preface") {
    loop->deadlines().set_duration(DeadlineKind::head, 30);
    connect();
    say(wire.preface().substr(0, 30));
    client.reset(::dup(client.get()));
    CHECK(hear_until([&] { return at_end(); }));
  }
  SECTION("for its next request") {
    loop->deadlines().set_duration(DeadlineKind::keepalive, 30);
    begin();
    CHECK(ask(1, Http2Wire::request("/none")).status == "404");
    CHECK(hear_until([&] { return at_end(); }));
    CHECK(wire.was_told_to_go(NGHTTP2_NO_ERROR));
  }
  SECTION("for the rest of a body") {
    loop->deadlines().set_duration(DeadlineKind::body, 30);
    begin();
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
    CHECK(hear_until([&] { return wire.is_done(1); }));
    CHECK(ask(3, Http2Wire::request("/none")).status == "404");
  }
  SECTION("for its window") {
    loop->deadlines().set_duration(DeadlineKind::send, 30);
    begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false) + Http2Wire::data(1, "hello"));
    CHECK(hear_until([&] { return wire.answer(1).was_reset; }));
    CHECK(wire.answer(1).content == "");
    CHECK(stats.module_faults.get() == 0);
  }
}

TEST_CASE_METHOD(Http2Fixture, "a stream whose window stays shut does not keep its connection",
                 "[http2_session]") {
  mount("echo");
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}});
  wire.opens_windows = false;
  SECTION("with content left") {
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false) + Http2Wire::data(1, numbered(2000)));
  }
  SECTION("with nothing left but the end") {
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false) +
        Http2Wire::data(1, numbered(1000), false));
    CHECK(hear_until([&] { return wire.answer(1).content.size() == 1000; }));
    say(Http2Wire::data(1, ""));
  }
  CHECK(hear_until([&] { return wire.answer(1).content.size() == 1000; }));
  for (int i = 0; i < 4; ++i) {
    loop->deadlines().expire(loop->now_ms() + 61'000);
    hear();
  }
  CHECK(at_end());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Http2Fixture, "a client that has sent its last byte ends the bodies that are not whole",
                 "[http2_session]") {
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  say(wire.get(3, "/none"));
  ::shutdown(client.get(), SHUT_WR);
  CHECK(hear_until([&] { return wire.is_done(1); }));
  CHECK(wire.answer(3).status == "404");
  CHECK(ends());
}
