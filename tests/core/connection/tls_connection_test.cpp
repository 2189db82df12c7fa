// Connections that are still in their TLS handshake.
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "settings/certificate.h"
#include "support/connection_fixture.h"
#include "support/tcp_pair.h"
#include "support/tls_address.h"

using namespace sluice;

namespace {

struct TlsFixture : test::ConnectionFixture {
  test::TlsAddress address{{*make_self_signed({})}};
  TlsServices tls = address.services(*loop, *offload);
  AddressContext at{address.address.names, &tls};
  test::TcpPair pair;

  void accept() { table.accept(std::move(pair.server), at); }
  void say(std::string_view bytes) {
    REQUIRE(::send(pair.client.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  bool ends() {
    for (int i = 0; i < 100 && table.size() > 0; ++i) loop->turn(10);
    return table.size() == 0;
  }
  ~TlsFixture() { table.close_all(); }
};

}  // namespace

TEST_CASE_METHOD(TlsFixture, "a connection that has said nothing gives way to others", "[tls_connection]") {
  accept();
  loop->turn(0);
  CHECK(table.make_room());
  CHECK(ends());
  CHECK(stats.tls_handshakes_failed.get() == 0);
}

TEST_CASE_METHOD(TlsFixture, "one in the middle of its handshake does not give way", "[tls_connection]") {
  accept();
  say("\x16\x03\x01");
  loop->turn(10);
  CHECK_FALSE(table.make_room());
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(TlsFixture, "the client's end in the handshake ends the connection at once",
                 "[tls_connection]") {
  SECTION("with nothing said") {}
  SECTION("before the connection is accepted") {
    say("\x16\x03\x01");
  }
  ::shutdown(pair.client.get(), SHUT_WR);
  accept();
  CHECK(ends());
}

TEST_CASE_METHOD(TlsFixture, "bytes and the client's end may come together", "[tls_connection]") {
  accept();
  loop->turn(0);
  say("\x16\x03\x01");
  ::shutdown(pair.client.get(), SHUT_WR);
  CHECK(ends());
  CHECK(stats.tls_handshakes_failed.get() == 1);
}

TEST_CASE_METHOD(TlsFixture, "a handshake that does not end has the time of a head", "[tls_connection]") {
  loop->deadlines().set_duration(DeadlineKind::head, 50);
  accept();
  say("\x16\x03\x01");
  CHECK(ends());
}
