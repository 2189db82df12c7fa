// A connection over a socket pair: answers of the server itself, and when it keeps, closes, waits and gives up.
#include "connection/connection_table.h"

#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "connection/http1_session.h"
#include "support/connection_fixture.h"

using namespace sluice;

namespace {

using Fixture = sluice::test::ConnectionFixture;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++found;
  return found;
}

const std::string kGet = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "the server answers by itself when no module is needed", "[connection]") {
  CHECK(status_of(kGet) == "404");
  CHECK(status_of("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n") == "400");
  CHECK(status_of("GET /../x HTTP/1.1\r\nHost: a\r\n\r\n") == "404");
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == "400");
  CHECK(status_of("BREW / HTTP/1.1\r\nHost: a\r\n\r\n") == "501");
  CHECK(status_of("GET / HTTP/3.0\r\nHost: a\r\n\r\n") == "505");
  CHECK(status_of("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n") == "414");
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'a')) == "431");
  CHECK(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == "204");
  CHECK(status_of("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n") == "421");
}

TEST_CASE_METHOD(Fixture, "the page of a refusal says why", "[connection]") {
  connect();
  send("GET / HTTP/1.1\r\n\r\n");
  CHECK(count(receive(), "<h1>400 Bad Request</h1>\n<p>The request has no Host field.</p>\n") == 1);
  connect();
  send("GET /%g HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n");
  CHECK(count(receive(), "\r\n\r\n400 Bad Request\nThe target has a % without two hexadecimal digits") == 1);
}

TEST_CASE_METHOD(Fixture, "a connection is kept between requests, and has no buffers meanwhile",
                 "[connection]") {
  connect();
  send(kGet);
  CHECK(count(receive(), "HTTP/1.1 404") == 1);
  const Connection* connection = table.at(0);
  REQUIRE(connection != nullptr);
  CHECK(connection->state() == State::open);
  CHECK(connection->waiting_for() == WaitingFor::client_bytes);
  CHECK(connection->is_idle());
  static_assert(sizeof(Connection) <= 256);
  send(kGet.substr(0, 10));
  CHECK_FALSE(connection->is_idle());
  send(kGet.substr(10));
  CHECK(count(receive(), "HTTP/1.1 404") == 1);
  CHECK(table.size() == 1);
  CHECK(stats.requests.get() == 2);
}

TEST_CASE_METHOD(Fixture, "pipelined requests are answered in one write", "[connection]") {
  connect();
  std::string pipeline;
  for (int i = 0; i < 16; ++i) pipeline += kGet;
  send(pipeline);
  CHECK(count(receive(), "HTTP/1.1 404") == 16);
}

TEST_CASE_METHOD(Fixture, "a pipeline does not keep other connections waiting", "[connection]") {
  connect();
  std::string pipeline;
  for (int i = 0; i < 300; ++i) pipeline += kGet;
  REQUIRE(::send(client.get(), pipeline.data(), pipeline.size(), 0) == static_cast<ssize_t>(pipeline.size()));
  loop->turn(0);
  const std::uint64_t first_turn = stats.requests.get();
  CHECK(first_turn > 0);
  CHECK(first_turn < 300);
  CHECK(turn_until([&] { return stats.requests.get() == 300; }));
}

TEST_CASE_METHOD(Fixture, "many pipelines share a turn, and each is answered", "[connection]") {
  constexpr int kClients = 64;
  constexpr int kRequests = 64;
  std::string pipeline;
  for (int i = 0; i < kRequests; ++i) pipeline += kGet;
  std::vector<UniqueFd> clients;
  for (int i = 0; i < kClients; ++i) {
    connect();
    REQUIRE(::send(client.get(), pipeline.data(), pipeline.size(), 0) == static_cast<ssize_t>(pipeline.size()));
    clients.push_back(std::move(client));
  }
  const std::uint64_t began_ns = monotonic_ns();
  loop->turn(0);
  const std::uint64_t turn_ns = monotonic_ns() - began_ns;
  const std::uint64_t first_turn = stats.requests.get();
  INFO(first_turn << " requests in " << turn_ns << " ns");
  CHECK(first_turn > 0);
  CHECK(first_turn < kClients * kRequests / 2);
  CHECK(turn_until([&] { return stats.requests.get() == kClients * kRequests; }));
}

#ifndef __SANITIZE_THREAD__  // with ThreadSanitizer, all calls are lengthy
TEST_CASE_METHOD(Fixture, "a client that asks for little is served before those that keep the loop long",
                 "[connection]") {
  mount("sleeper");
  constexpr int kLengthy = 5;
  const std::string slow = "GET /sleeper/poll/1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto say = [](const UniqueFd& to, const std::string& bytes) {
    REQUIRE(::send(to.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  };
  std::vector<UniqueFd> lengthy;
  std::uint64_t wanted = 0;
  for (int i = 0; i < kLengthy; ++i) {
    connect();
    lengthy.push_back(std::move(client));
    for (int request = 0; request < 4; ++request) {
      say(lengthy.back(), slow);
      ++wanted;
      REQUIRE(turn_until([&] { return stats.requests.get() == wanted; }));
    }
  }
  connect();
  // On a busy machine the calls of the quick one may take long, too.
  int quick = 0;
  for (int round = 0; round < 100 && quick < 3; ++round) {
    send(kGet);
    CHECK(count(receive(), "HTTP/1.1 404") == 1);
    loop->turn(0);  // the kernel reports the room that the answer's receipt has made
    wanted = stats.requests.get();
    for (const UniqueFd& one : lengthy) say(one, slow);
    say(client, kGet);  // the last one that the kernel reports
    loop->turn(0);
    const bool is_served = count(receive(), "HTTP/1.1 404") == 1;
    if (is_served && stats.requests.get() < wanted + 1 + kLengthy) ++quick;
    REQUIRE(turn_until([&] { return stats.requests.get() == wanted + 1 + kLengthy; }));
    receive();
  }
  CHECK(quick == 3);
}
#endif

TEST_CASE_METHOD(Fixture, "the connection closes after the answer if the protocol says so", "[connection]") {
  for (const std::string request :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"}) {
    connect();
    send(request);
    const std::string answer = receive();
    CHECK(count(answer, "Connection: close\r\n") == 1);
    CHECK(at_end());
  }
  connect();
  send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(count(receive(), "Connection: keep-alive\r\n") == 1);
  CHECK_FALSE(at_end());
}

TEST_CASE_METHOD(Fixture, "a client that has sent its last byte still gets its answer", "[connection]") {
  connect();
  REQUIRE(::send(client.get(), kGet.data(), kGet.size(), 0) > 0);
  ::shutdown(client.get(), SHUT_WR);
  for (int i = 0; i < 3; ++i) loop->turn(0);
  CHECK(count(receive(), "HTTP/1.1 404") == 1);
  CHECK(at_end());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Fixture, "what a client has sent before it closed a Unix socket is served", "[connection]") {
  connect();
  loop->turn(0);
  REQUIRE(::send(client.get(), kGet.data(), kGet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kGet.size()));
  client.reset();
  CHECK(turn_until([&] { return table.size() == 0; }));
  CHECK(stats.requests.get() == 1);
}

TEST_CASE_METHOD(Fixture, "an unwanted body is never taken for the next request", "[connection]") {
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kGet.size()) + "\r\n\r\n" + kGet +
       kGet);
  CHECK(count(receive(), "HTTP/1.1 404") == 2);
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  const std::string too_long_to_drain = receive();
  CHECK(count(too_long_to_drain, "HTTP/1.1 404") == 1);
  CHECK(count(too_long_to_drain, "Connection: close\r\n") == 1);
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  CHECK(count(receive(), "HTTP/1.1 413") == 1);
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n" + kGet);
  CHECK(count(receive(), "HTTP/1.1 400") == 1);
  CHECK(at_end());
}

TEST_CASE_METHOD(Fixture, "the server waits for an unwanted body", "[connection]") {
  const std::string head = "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
  loop->deadlines().set_duration(DeadlineKind::body, 30);
  connect();
  send(head + "12345");
  std::string got = receive();
  CHECK(got.empty());
  SECTION("it comes") {
    send("67890");
    CHECK(count(receive(), "HTTP/1.1 404") == 1);
    CHECK_FALSE(at_end());
  }
  SECTION("it stops coming") {
    CHECK(turn_until([&] { return count(got += receive(), "HTTP/1.1 408") == 1; }));
    CHECK(turn_until([&] { return at_end(); }));
  }
  SECTION("the client has ended") {
    ::shutdown(client.get(), SHUT_WR);
    CHECK(turn_until([&] { return count(got += receive(), "HTTP/1.1 400") == 1; }));
    CHECK(turn_until([&] { return at_end(); }));
  }
}

TEST_CASE_METHOD(Fixture, "a client that is too slow gets an answer, or is closed", "[connection]") {
  loop->deadlines().set_duration(DeadlineKind::head, 30);
  loop->deadlines().set_duration(DeadlineKind::keepalive, 30);
  SECTION("in the middle of a head") {
    connect();
    send("GET / HT");
    CHECK(turn_until([&] { return at_end() || count(receive(), "HTTP/1.1 408") == 1; }));
  }
  SECTION("before the first byte") {
    connect();
    CHECK(turn_until([&] { return at_end(); }));
  }
  SECTION("between two requests") {
    connect();
    send(kGet);
    receive();
    CHECK(turn_until([&] { return at_end(); }));
  }
}

TEST_CASE_METHOD(Fixture, "idle connections can be closed, and all of them at once", "[connection]") {
  connect();
  const UniqueFd idle(client.release());
  connect();
  send("GET / HTTP/1.1\r\n");
  CHECK(table.size() == 2);
  CHECK_FALSE(table.close_idle());
  CHECK(table.size() == 1);
  table.close_all();
  CHECK(table.size() == 0);
  CHECK(stats.connections_open.get() == 0);
}

TEST_CASE_METHOD(Fixture, "the idle connections that are closed in one turn are limited", "[connection]") {
  constexpr std::size_t kMax = ConnectionTable::kIdleClosedMax;
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < kMax + 6; ++i) {
    connect();
    clients.push_back(std::move(client));
  }
  REQUIRE(table.size() == kMax + 6);
  CHECK(table.close_idle());
  CHECK(table.size() == 6);
  loop->turn(0);
  CHECK_FALSE(table.close_idle());
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Fixture, "a draining worker answers, and says that it is the last time", "[connection]") {
  connect();
  context.draining = true;
  send(kGet);
  CHECK(count(receive(), "Connection: close\r\n") == 1);
  CHECK(at_end());
}

TEST_CASE_METHOD(Fixture, "invalid tickets wake no connection", "[connection]") {
  connect();
  send(kGet);
  receive();
  mount("half");
  const ModuleInstance& half = *router.find(0, "/half/").instance;
  for (const std::uint64_t value : {0ULL, 1ULL, 77ULL, 1ULL << 32, ~0ULL}) table.resume(Ticket{value}, half);
  send(kGet);
  CHECK(count(receive(), "HTTP/1.1 404") == 1);
}

TEST_CASE_METHOD(Fixture, "the connection that has been idle for longest makes room, one at work never does",
                 "[connection]") {
  connect();
  const UniqueFd silent(client.release());
  connect();
  send(kGet);
  const UniqueFd served_first(client.release());
  connect();
  send(kGet);
  const UniqueFd served_then(client.release());
  connect();
  send(kGet.substr(0, 10));
  const UniqueFd in_head(client.release());
  const auto is_open = [&](const UniqueFd& fd) {
    pollfd ended{fd.get(), POLLRDHUP, 0};
    return ::poll(&ended, 1, 0) == 0;
  };
  CHECK(table.make_room());
  CHECK_FALSE(is_open(served_first));
  CHECK(table.size() == 3);
  CHECK(table.make_room());
  CHECK_FALSE(is_open(served_then));
  CHECK(is_open(silent));
  CHECK(table.make_room());
  CHECK_FALSE(is_open(silent));
  CHECK_FALSE(table.make_room());
  CHECK(is_open(in_head));
}

TEST_CASE_METHOD(Fixture, "a connection whose next request has arrived does not make room", "[connection]") {
  connect();
  send(kGet);
  receive();
  REQUIRE(::send(client.get(), kGet.data(), kGet.size(), 0) > 0);
  CHECK_FALSE(table.make_room());
  for (int i = 0; i < 3; ++i) loop->turn(0);
  CHECK(count(receive(), "HTTP/1.1 404") == 1);
  CHECK(table.make_room());
}
