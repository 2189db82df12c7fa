#include "base/peer_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace sluice;
using namespace std::string_view_literals;

namespace {

sockaddr_storage v4(const char* address, std::uint16_t port) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in&>(storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, address, &in.sin_addr) == 1);
  return storage;
}

sockaddr_storage v6(const char* address, std::uint16_t port) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in6&>(storage);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  REQUIRE(::inet_pton(AF_INET6, address, &in.sin6_addr) == 1);
  return storage;
}

}  // namespace

TEST_CASE("an address is written as a URL has it", "[peer_address]") {
  CHECK(PeerAddress(v4("192.0.2.1", 40000)).text() == "192.0.2.1:40000");
  CHECK(PeerAddress(v6("2001:db8::1", 1)).text() == "[2001:db8::1]:1");
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  CHECK(PeerAddress(local).text() == "unix:");
  CHECK(PeerAddress().text() == "unknown");
  CHECK_FALSE(PeerAddress().is_known());
  CHECK(PeerAddress(v4("192.0.2.1", 0)).text() == "192.0.2.1");
  CHECK(PeerAddress(v6("2001:db8::1", 0)).text() == "[2001:db8::1]");
}

TEST_CASE("an address is read", "[peer_address]") {
  CHECK(PeerAddress::parse("192.0.2.1") == PeerAddress(v4("192.0.2.1", 0)));
  CHECK(PeerAddress::parse("2001:db8::1") == PeerAddress(v6("2001:db8::1", 0)));
  CHECK(PeerAddress::of_bytes("\xc0\x00\x02\x01"sv).with_port(80) == PeerAddress(v4("192.0.2.1", 80)));
  for (const std::string_view text : {"", "192.0.2", "192.0.2.1 ", "192.0.2.1:80", "[::1]", "fe80::1%lo", "a"})
    CHECK_FALSE(PeerAddress::parse(text));
  CHECK_FALSE(PeerAddress::parse("192.0.2.1\0"sv));
  CHECK_FALSE(PeerAddress::parse(std::string(1000, '1')));
}

TEST_CASE("addresses within a host", "[peer_address]") {
  for (const char* text : {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"})
    CHECK(PeerAddress::parse(text)->is_within_host());
  CHECK(PeerAddress::of_unix_socket().is_within_host());
  for (const char* text : {"128.0.0.1", "126.0.0.1", "::", "::2", "7f00::1", "0.0.0.0"})
    CHECK_FALSE(PeerAddress::parse(text)->is_within_host());
  CHECK_FALSE(PeerAddress().is_within_host());
}

TEST_CASE("an IPv4 address that is mapped into IPv6 is one", "[peer_address]") {
  const PeerAddress mapped(v6("::ffff:192.0.2.1", 80));
  CHECK(mapped.unmapped() == PeerAddress(v4("192.0.2.1", 80)));
  CHECK(mapped.unmapped().unmapped() == mapped.unmapped());
  CHECK(PeerAddress(v6("::1", 80)).unmapped() == PeerAddress(v6("::1", 80)));
  PeerFacts facts;
  mapped.describe(facts);
  CHECK(facts.address == "\xc0\x00\x02\x01"sv);
  CHECK(facts.peer.port == 80);
}

TEST_CASE("a socket's peer is asked for", "[peer_address]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  CHECK(PeerAddress::of(one.get()).text() == "unix:");
  CHECK(PeerAddress::of(-1).text() == "unknown");
}

TEST_CASE("facts tell a Unix socket, until a proxy has told an address", "[peer_address]") {
  sluice::PeerFacts facts;
  PeerAddress::of_unix_socket().describe(facts);
  CHECK(facts.peer.flags == sluice::kPeerUnixSocket);
  CHECK(facts.address.empty());
  PeerAddress::parse("192.0.2.1")->describe(facts);
  CHECK(facts.peer.flags == 0);
  CHECK(facts.address.size() == 4);
  CHECK(PeerAddress::parse("192.0.2.1")->text_with_port() == "192.0.2.1:0");
  CHECK(PeerAddress::of_unix_socket().text_with_port() == "unix:");
}
