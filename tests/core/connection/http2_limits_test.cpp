// What a client of HTTP/2 cannot do to a connection by silence, and what does not count against it.
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "base/unique_fd.h"
#include "support/http2_fixture.h"
#include "support/ledger.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::Http2Fixture;
using sluice::test::Http2Wire;

namespace {

// A module whose offloaded calls end when the gate opens.
struct GatedFixture : Http2Fixture {
  test::TempFolder folder;
  UniqueFd folder_fd{::open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};

  GatedFixture() {
    folder.write("gate", "");
    auto file = ModuleFile::load(SLUICE_TEST_MODULES "/offloader.so", "offloader.so");
    REQUIRE(file);
    auto made = ModuleInstance::create_mounted(services, std::move(*file), InstanceRef(),
                                               {"/offloader/", {}, folder_fd.get(), folder.path});
    REQUIRE(made);
    REQUIRE(router.add(0, "/offloader/", std::move(*made)));
  }
  ~GatedFixture() { open_gate(); }
  void open_gate() { static_cast<void>(::unlinkat(folder_fd.get(), "gate", 0)); }
  // Asks for so many answers that wait at the gate.
  std::string asks(std::uint32_t first, std::uint32_t count) {
    std::string bytes;
    for (std::uint32_t i = 0; i < count; ++i) bytes += wire.get(first + 2 * i, "/offloader/gate");
    return bytes;
  }
  static std::string resets(std::uint32_t first, std::uint32_t count) {
    std::string bytes;
    for (std::uint32_t i = 0; i < count; ++i) bytes += Http2Wire::reset(first + 2 * i);
    return bytes;
  }
  std::size_t refused(std::uint32_t first, std::uint32_t count) {
    std::size_t number = 0;
    for (std::uint32_t i = 0; i < count; ++i)
      number += wire.answer(first + 2 * i).reset_code == NGHTTP2_REFUSED_STREAM ? 1 : 0;
    return number;
  }
};

constexpr std::uint32_t kConnectionWindow = 1024 * 1024;

}  // namespace

TEST_CASE_METHOD(Http2Fixture, "what was on its way to a refused stream is passed over", "[http2_session]") {
  mount("echo");
  connect();
  answers = false;  // until the client has seen the limit, more streams are refused one by one
  std::string bytes = wire.preface();
  const std::uint32_t refused = 2 * Http2Session::kStreamsMax + 1;
  for (std::uint32_t id = 1; id <= refused; id += 2)
    bytes += wire.headers(id, Http2Wire::request("/echo/", "POST"), false);
  // All that follows is read before the refusal is sent.
  bytes += Http2Wire::reset(1) + wire.get(refused + 2, "/none");
  bytes += wire.headers(refused, {{"trailer", "x"}});
  say(bytes);
  CHECK(hear_until([&] { return wire.is_done(refused + 2); }));
  CHECK(wire.answer(refused).reset_code == NGHTTP2_REFUSED_STREAM);
  CHECK(wire.answer(refused + 2).status == "404");
  CHECK(wire.goaways().empty());
}

TEST_CASE_METHOD(Http2Fixture, "a client that answers no PING is told to go in the end", "[http2_session]") {
  loop->deadlines().set_duration(DeadlineKind::linger, 30);
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  answers = false;
  context.draining = true;
  table.ask_to_leave();
  CHECK(hear_until([&] { return wire.goaways().size() == 2; }));
  CHECK(wire.goaways().back().last == 1);
  CHECK(wire.goaways().back().code == NGHTTP2_NO_ERROR);
  say(Http2Wire::data(1, "done"));
  CHECK(hear_until([&] { return wire.answer(1).ended; }));
  CHECK(wire.answer(1).content == "done");
  client.reset();
  CHECK(ends());
}

TEST_CASE_METHOD(Http2Fixture, "PING frames are a flood, and answers to them are not", "[http2_session]") {
  begin();
  const std::string content(8, 'x');
  std::string pings;
  for (int i = 0; i < 300; ++i) pings += Http2Wire::frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, content);
  say(pings);
  CHECK(ask(1, Http2Wire::request("/none")).status == "404");
  CHECK(wire.goaways().empty());
  for (int i = 0; i < 900; ++i) pings += Http2Wire::frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, content);
  say(pings);
  CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM); }));
}

TEST_CASE_METHOD(Http2Fixture, "too many frames that ask for nothing end the connection", "[http2_session]") {
  struct Kind {
    std::string name;
    std::string frame;
    Http2Cost counted;
  };
  const Kind kinds[] = {
      {"PING", Http2Wire::frame(NGHTTP2_PING, 0, 0, "12345678"), Http2Cost::ping},
      {"SETTINGS", Http2Wire::frame(NGHTTP2_SETTINGS, 0, 0), Http2Cost::settings},
      {"PRIORITY", Http2Wire::frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\x10", 5)),
       Http2Cost::priority},
      {"PRIORITY_UPDATE", Http2Wire::frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, std::string("\0\0\0\x01u=1", 7)),
       Http2Cost::priority},
      {"WINDOW_UPDATE", Http2Wire::window_update(0, 1), Http2Cost::window},
      {"DATA", Http2Wire::frame(NGHTTP2_DATA, 0, 1), Http2Cost::empty},
      {"DATA of padding", Http2Wire::frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, std::string("\x02\0\0", 3)),
       Http2Cost::empty},
      {"ALTSVC", Http2Wire::frame(NGHTTP2_ALTSVC, 0, 0, std::string("\0\0", 2)), Http2Cost::unknown},
      {"ORIGIN", Http2Wire::frame(NGHTTP2_ORIGIN, 0, 0), Http2Cost::unknown},
      {"unknown", Http2Wire::frame(0x42, 0, 0, "12345678"), Http2Cost::unknown},
      {"the last unknown", Http2Wire::frame(0xff, 0, 0), Http2Cost::unknown},
  };
  mount("echo");
  for (const auto& [name, frame, counted] : kinds) {
    CAPTURE(name);
    const Counter& floods = stats.http2_floods[static_cast<unsigned>(counted)];
    const std::uint64_t before = floods.get();
    wire = Http2Wire();
    begin();
    say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
    std::string few;
    for (int i = 0; i < 20; ++i) few += frame;
    say(few);
    CHECK(ask(3, Http2Wire::request("/none")).status == "404");
    CHECK(wire.goaways().empty());
    std::string flood;
    for (int i = 0; i < 5000; ++i) flood += frame;
    say(flood);
    CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM); }));
    CHECK(floods.get() == before + 1);
  }
}

TEST_CASE_METHOD(Http2Fixture, "too many frames for streams that have ended end the connection",
                 "[http2_session]") {
  const auto data = [](std::uint8_t flags, const std::string& content) {
    return Http2Wire::frame(NGHTTP2_DATA, flags, 1, content);
  };
  const std::pair<std::string, std::string> kinds[] = {
      {"empty", data(0, "")}, {"the end again", data(NGHTTP2_FLAG_END_STREAM, "")}, {"a byte", data(0, "1")}};
  for (const auto& [name, frame] : kinds) {
    CAPTURE(name);
    wire = Http2Wire();
    begin();
    CHECK(ask(1, Http2Wire::request("/none")).status == "404");
    std::string flood;
    for (int i = 0; i < 20; ++i) flood += frame;
    say(flood);
    CHECK(ask(3, Http2Wire::request("/none")).status == "404");
    CHECK(wire.goaways().empty());
    for (int i = 0; i < 1000; ++i) flood += frame;
    say(flood);
    CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM); }));
  }
  CHECK(stats.http2_floods[static_cast<unsigned>(Http2Cost::empty)].get() == std::size(kinds));
}

TEST_CASE_METHOD(Http2Fixture, "content that was on its way to a stream that was reset is no flood",
                 "[http2_session]") {
  begin();
  CHECK(ask(1, Http2Wire::request("/none")).status == "404");
  std::string rest;
  for (int i = 0; i < 200; ++i) rest += Http2Wire::data(1, std::string(300, 'x'), false);
  say(rest);
  CHECK(ask(3, Http2Wire::request("/none")).status == "404");
  CHECK(wire.goaways().empty());
}

TEST_CASE_METHOD(Http2Fixture, "too many heads for a stream that was reset end the connection",
                 "[http2_session]") {
  begin();
  say(wire.headers(1, {{":method", "GET"}}, true));  // is malformed
  const std::string head =
      Http2Wire::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1);
  std::string flood;
  for (int i = 0; i < 5; ++i) flood += head;
  say(flood);
  CHECK(ask(3, Http2Wire::request("/none")).status == "404");
  CHECK(wire.goaways().empty());
  for (int i = 0; i < 1000; ++i) flood += head;
  say(flood);
  CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM); }));
}

TEST_CASE_METHOD(Http2Fixture, "too many goodbyes end the connection", "[http2_session]") {
  mount("echo");
  begin();
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false));
  std::string flood;
  for (int i = 0; i < 3000; ++i) flood += Http2Wire::frame(NGHTTP2_GOAWAY, 0, 0, std::string(8, '\0'));
  say(flood);
  CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_ENHANCE_YOUR_CALM); }));
}

TEST_CASE_METHOD(Http2Fixture, "streams that wait their turn do not outlive a window that stays shut",
                 "[http2_session]") {
  mount("echo");
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1'000'000}});
  wire.opens_windows = false;
  const std::string sent(60'000, 'x');
  for (const std::uint32_t id : {1U, 3U, 5U}) {
    say(wire.headers(id, Http2Wire::request("/echo/", "POST"), false));
    for (std::size_t at = 0; at < sent.size(); at += 15'000)
      say(Http2Wire::data(id, std::string_view(sent).substr(at, 15'000), at + 15'000 == sent.size()));
  }
  for (int i = 0; i < 6; ++i) {
    loop->deadlines().expire(loop->now_ms() + 61'000);
    hear();
  }
  CHECK(at_end());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Http2Fixture, "tunnels that pause do not hold up the uploads of their connection",
                 "[http2_session]") {
  mount("echo");
  mount("tunnel");
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});  // nothing comes back through the tunnels, so they pause
  wire.opens_windows = false;
  constexpr std::uint32_t kTunnels = 40;
  const std::string piece(10'000, 'x');
  for (std::uint32_t id = 1; id < 2 * kTunnels; id += 2) {
    say(wire.headers(id,
                     {{":method", "CONNECT"},
                      {":protocol", "echo"},
                      {":scheme", "http"},
                      {":authority", "a"},
                      {":path", "/tunnel/echo"}},
                     false));
    for (int i = 0; i < 10; ++i) say(Http2Wire::data(id, piece, false));
  }
  // Each has taken 70,000 bytes, and left as many as the others would have room for in the connection's window.
  CHECK(std::uint64_t{kTunnels} * 3 * piece.size() > kConnectionWindow);
  CHECK(wire.goaways().empty());
  const std::uint32_t upload = 1 + 2 * kTunnels;
  say(wire.headers(upload, Http2Wire::request("/none", "POST"), false) + Http2Wire::data(upload, piece));
  CHECK(hear_until([&] { return wire.answer(upload).status == "404" || at_end(); }));
  CHECK(wire.goaways().empty());
}

TEST_CASE_METHOD(Http2Fixture, "a stream whose window is opened too slowly is cut alone", "[http2_session]") {
  mount("echo");
  limits.send_rate_min = 1024 * 1024;
  loop->deadlines().set_duration(DeadlineKind::send, 10);
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10}});
  wire.opens_windows = false;
  say(wire.headers(1, Http2Wire::request("/echo/", "POST"), false) +
      Http2Wire::data(1, std::string(5000, 'x')));
  CHECK(hear_until([&] {
    if (!wire.answer(1).was_reset) say(Http2Wire::window_update(1, 1));
    return wire.answer(1).was_reset;
  }));
  CHECK(wire.answer(1).content.size() > 10);
  CHECK(ask(3, Http2Wire::request("/none")).status == "404");
}

TEST_CASE_METHOD(Http2Fixture, "streams share what a slow client lets through, and none is cut for the others",
                 "[http2_session]") {
  mount("echo");
  loop->deadlines().set_duration(DeadlineKind::send, 50'000);
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1'000'000}});
  wire.opens_windows = false;
  const std::string sent(60'000, 'x');
  for (const std::uint32_t id : {1U, 3U, 5U, 7U}) {
    say(wire.headers(id, Http2Wire::request("/echo/", "POST", {{"priority", "u=3"}}), false));
    for (std::size_t at = 0; at < sent.size(); at += 15'000)
      say(Http2Wire::data(id, std::string_view(sent).substr(at, 15'000), at + 15'000 == sent.size()));
  }
  // Each waits for those before it, for longer than the time-out.
  CHECK(hear_until([&] {
    say(Http2Wire::window_update(0, 1000));
    loop->deadlines().expire(loop->now_ms() + 49'999);  // a look at each stream
    return wire.is_done(1) && wire.is_done(3) && wire.is_done(5) && wire.is_done(7);
  }));
  for (const std::uint32_t id : {1U, 3U, 5U, 7U}) CHECK(wire.answer(id).content.size() == sent.size());
}

TEST_CASE_METHOD(GatedFixture, "work that goes on after a reset counts as a stream", "[http2_session]") {
  begin();
  // A whole limit's worth of work goes on.
  say(asks(1, Http2Session::kStreamsMax));
  CHECK(hear_until([&] { return !loop->has_ready(); }));
  say(resets(1, Http2Session::kStreamsMax));
  const std::uint32_t next = 1 + 2 * Http2Session::kStreamsMax;
  say(asks(next, 10));
  say(wire.headers(next + 20, Http2Wire::request("/none", "POST"), false));
  // What follows a refused request is passed over.
  say(Http2Wire::data(next + 20, "content", false) + wire.headers(next + 20, {{"trailer", "x"}}));
  CHECK(hear_until([&] { return refused(next, 11) == 11; }));
  CHECK(wire.goaways().empty());

  open_gate();
  std::uint32_t id = next + 22;
  CHECK(hear_until([&] {
    id += 2;
    return ask(id, Http2Wire::request("/none")).status == "404";
  }));
  CHECK(wire.goaways().empty());
}

TEST_CASE_METHOD(GatedFixture, "a reset makes room for a stream when no work goes on", "[http2_session]") {
  begin();
  say(asks(1, 100));
  CHECK(hear_until([&] { return !loop->has_ready(); }));
  // Their handlers are never called, because each reset comes with its request.
  for (std::uint32_t id = 201; id < 501; id += 2) say(asks(id, 1) + Http2Wire::reset(id));
  CHECK(ask(501, Http2Wire::request("/none")).status == "404");
  open_gate();
  // On a slow machine, calls that waited too long for a thread were not run: 503.
  CHECK(hear_until([&] { return wire.is_done(1) && wire.is_done(199); }));
}

TEST_CASE_METHOD(GatedFixture, "what no reader has taken fits into the connection's window",
                 "[http2_session]") {
  begin();
  const std::string part(16'000, 'x');
  const auto upload = [&](std::uint32_t id) {
    say(wire.headers(id, Http2Wire::request("/offloader/gate", "POST"), false));
    for (int i = 0; i < 4; ++i) say(Http2Wire::data(id, part, false));
  };
  constexpr std::uint32_t kFull = kConnectionWindow / 64'000;
  SECTION("a client that sends more breaks the protocol") {
    for (std::uint32_t i = 0; i <= kFull; ++i) upload(1 + 2 * i);
    CHECK(hear_until([&] { return wire.was_told_to_go(NGHTTP2_FLOW_CONTROL_ERROR); }));
  }
  SECTION("resets make room again") {
    for (std::uint32_t i = 0; i < 3 * kFull; ++i) {
      upload(1 + 2 * i);
      say(Http2Wire::reset(1 + 2 * i));
    }
    CHECK(wire.goaways().empty());
  }
  SECTION("answers make room again") {
    for (std::uint32_t i = 0; i < kFull; ++i) upload(1 + 2 * i);
    open_gate();
    for (std::uint32_t i = 0; i < kFull; ++i) say(Http2Wire::data(1 + 2 * i, ""));
    CHECK(hear_until([&] { return wire.answer(2 * kFull - 1).ended; }));
    for (std::uint32_t i = kFull; i < 2 * kFull; ++i) upload(1 + 2 * i);
    CHECK(wire.goaways().empty());
  }
}

TEST_CASE_METHOD(Http2Fixture, "a reset is seen while its client takes nothing", "[http2_session]") {
  mount("ledger");
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  client.reset(pair[0]);
  const int small = 4096;
  ::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  table.accept(UniqueFd(pair[1]), site.address);
  say(wire.preface({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff}}));
  test::Ledger ledger;
  char address[32];
  std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&ledger));
  const auto ask_for = [&](std::uint32_t id, const std::string& way) {
    return wire.get(id, "/ledger/" + way + "?" + address);
  };
  std::string bytes = Http2Wire::window_update(0, 0x7fff0000);
  for (const std::uint32_t id : {1U, 3U}) bytes += ask_for(id, "endless");
  for (std::uint32_t id = 5; id < 5 + 2 * 100; id += 2) bytes += ask_for(id, "streams");
  send(bytes);
  CHECK(turn_until([&] { return !loop->has_ready(); }));
  const int destroyed = ledger.destroyed;
  REQUIRE(ledger.made > destroyed + 1);
  REQUIRE(destroyed < 100);
  send(Http2Wire::reset(1) + Http2Wire::reset(3));
  CHECK(turn_until([&] { return ledger.destroyed == destroyed + 2; }));
  CHECK(table.size() == 1);
  client.reset();
  CHECK(ends());
}
