// A deadline is postponed only by the progress that it waits for.
#include <catch2/catch.hpp>
#include <string>

#include "support/connection_fixture.h"

using namespace sluice;

namespace {

const std::string kGet = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";

struct Fixture : test::ConnectionFixture {
  const Connection* connection() const { return table.at(0); }
  bool gone() const { return table.size() == 0; }
  // Asks for more than the socket takes. The connection then transmits, or waits for the next head.
  void fill() {
    std::string pipeline;
    for (int i = 0; i < 10; ++i) pipeline += kGet;
    for (int i = 0; i < 10'000 && !waits_to_send(); ++i) send(pipeline);
    REQUIRE(waits_to_send());
  }
  // Sets the interval of looks, from now on.
  void look_every(std::uint64_t ms) {
    auto& node = const_cast<Connection&>(*connection());
    loop->deadlines().disarm(node);
    loop->deadlines().set_duration(DeadlineKind::send, ms);
    loop->deadlines().arm(node, DeadlineKind::send, loop->now_ms());
  }
  // Sends a byte now and then, always within the time-out.
  template <typename Done>
  bool dribbles_until(Done done) {
    return turn_until([&] {
      static_cast<void>(::send(client.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
      loop->turn(0);
      return done();
    });
  }
  bool waits_to_send() const {
    const DeadlineNode* node = connection();
    return node->armed() && node->deadline_kind() == DeadlineKind::send;
  }
};

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a client that is slow, but steady, is not cut", "[connection][deadlines]") {
  connect_slow();
  fill();
  look_every(10);
  std::string piece(2048, '\0');
  // Too little for the socket to report room, for much longer than the time-out.
  for (int i = 0; i < 60; ++i) {
    REQUIRE(::recv(client.get(), piece.data(), piece.size(), 0) > 0);
    loop->turn(10);
    loop->turn(0);
    REQUIRE_FALSE(gone());
  }
  CHECK(turn_until([&] { return gone(); }));  // now the client takes nothing
}

TEST_CASE_METHOD(Fixture, "a client that takes less than the minimum rate is cut", "[connection][deadlines]") {
  limits.send_rate_min = 64 * 1024 * 1024;
  connect_slow();
  fill();
  look_every(10);
  std::string piece(2048, '\0');
  CHECK(turn_until([&] {
    static_cast<void>(::recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT));
    return gone();
  }));
}

TEST_CASE_METHOD(Fixture, "a client that takes nothing is cut, whatever it sends", "[connection][deadlines]") {
  const bool by_tcp = GENERATE(true, false);
  if (by_tcp) {
    connect_slow();
  } else {
    connect();
  }
  fill();
  look_every(40);
  send("GET /");
  CHECK(dribbles_until([&] { return gone(); }));
}

TEST_CASE_METHOD(Fixture, "a client that takes nothing is cut even if its answers fit into the socket",
                 "[connection][deadlines]") {
  loop->deadlines().set_duration(DeadlineKind::send, 10);
  connect_slow();
  const bool takes = GENERATE(true, false);
  bool cut = false;
  for (int i = 0; i < 60 && !cut; ++i) {
    static_cast<void>(::send(client.get(), kGet.data(), kGet.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    loop->turn(0);
    if (takes) receive();
    loop->turn(10);
    REQUIRE_FALSE((!gone() && waits_to_send()));
    cut = gone();
  }
  CHECK(cut == !takes);
}

TEST_CASE_METHOD(Fixture, "a head has one time-out as a whole", "[connection][deadlines]") {
  loop->deadlines().set_duration(DeadlineKind::head, 50);
  connect();
  send("GET / HTTP/1.1\r\nX: ");
  std::string got;
  CHECK(dribbles_until([&] { return has(got += receive(), "HTTP/1.1 408"); }));
}

TEST_CASE_METHOD(Fixture, "an unwanted body has one time-out as a whole", "[connection][deadlines]") {
  loop->deadlines().set_duration(DeadlineKind::body, 50);
  const std::string begun =
      GENERATE("Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfff\r\n",
               "Transfer-Encoding: chunked\r\n\r\n1;a=", "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ");
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\n" + begun);
  std::string got;
  CHECK(dribbles_until([&] { return has(got += receive(), "HTTP/1.1 408"); }));
}

TEST_CASE_METHOD(Fixture, "a lingering close has one time-out as a whole", "[connection][deadlines]") {
  loop->deadlines().set_duration(DeadlineKind::linger, 50);
  connect();
  send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
  CHECK(has(receive(), "HTTP/1.1 413"));
  CHECK_FALSE(gone());
  CHECK(dribbles_until([&] { return gone(); }));
}

TEST_CASE("the pace of a body counts only the time of waiting for it", "[deadlines]") {
  Pace pace;
  pace.wait(1000);
  pace.pause(1900);
  pace.pause(5000);  // the reader has paused
  CHECK_FALSE(pace.too_slow(1000, 10));
  pace.wait(5000);
  pace.wait(5500);
  pace.pause(5100);
  pace.came(9);
  CHECK(pace.too_slow(1000, 10));
  CHECK_FALSE(pace.too_slow(1000, 10));  // a new window
  pace.wait(6000);
  pace.pause(7000);
  pace.came(10);
  CHECK_FALSE(pace.too_slow(1000, 10));
  pace.wait(7000);
  pace.pause(8000);
  CHECK_FALSE(pace.too_slow(1000, 0));
}
