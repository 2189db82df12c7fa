#include "transport/peer_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace sluice;

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
}

TEST_CASE("a socket's peer is asked for", "[peer_address]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  CHECK(PeerAddress::of(one.get()).text() == "unix:");
  CHECK(PeerAddress::of(-1).text() == "unknown");
}
