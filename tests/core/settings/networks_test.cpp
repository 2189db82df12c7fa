#include "settings/networks.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

std::string refusal(const std::string& text) {
  Networks networks;
  const auto added = networks.add(text);
  return added ? "" : added.error().message;
}

bool has(const std::string& network, const std::string& address) {
  Networks networks;
  REQUIRE(networks.add(network));
  return networks.has(*PeerAddress::parse(address));
}

}  // namespace

TEST_CASE("what a network has", "[networks]") {
  CHECK(has("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(has("10.0.0.0/8", "11.0.0.1"));
  CHECK(has("192.0.2.128/25", "192.0.2.128"));
  CHECK_FALSE(has("192.0.2.128/25", "192.0.2.127"));
  CHECK(has("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(has("192.0.2.1", "192.0.2.2"));
  CHECK(has("0.0.0.0/0", "203.0.113.1"));
  CHECK_FALSE(has("0.0.0.0/0", "2001:db8::1"));
  CHECK_FALSE(has("::/0", "203.0.113.1"));
  CHECK_FALSE(has("::/0", "::ffff:203.0.113.1"));
  CHECK(has("10.0.0.0/8", "::ffff:10.0.0.1"));
  CHECK(has("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(has("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(has("2001:db8::1/128", "2001:db8::1"));
  CHECK_FALSE(has("2001:db8::1/128", "2001:db8::3"));
  CHECK_FALSE(has("unix", "10.0.0.1"));
}

TEST_CASE("Unix sockets, several networks, and an unknown address", "[networks]") {
  Networks networks;
  CHECK(networks.empty());
  REQUIRE(networks.add("0.0.0.0/0"));
  REQUIRE(networks.add("::/0"));
  CHECK_FALSE(networks.has(PeerAddress::of_unix_socket()));
  REQUIRE(networks.add("unix"));
  CHECK(networks.has(PeerAddress::of_unix_socket()));
  CHECK(networks.has(PeerAddress::parse("2001:db8::1")->with_port(80)));
  CHECK_FALSE(networks.has(PeerAddress()));
}

TEST_CASE("a text that is no network is refused by a sentence", "[networks]") {
  const std::string no_network = " is no network: write 10.0.0.0/8, 2001:db8::/32, 192.0.2.1 or unix";
  for (const std::string text : {"", "ten", "10.0.0/8", "10.0.0.0.0", "/8", "[::1]", "fe80::1%eth0",
                                 "::ffff:10.0.0.0/104", "10.0.0.1:80"})
    CHECK(refusal(text) == "'" + text + "'" + no_network);
  CHECK(refusal("10.0.0.0/33") == "the network '10.0.0.0/33' needs a number from 0 to 32 behind its slash");
  CHECK(refusal("10.0.0.0/") == "the network '10.0.0.0/' needs a number from 0 to 32 behind its slash");
  CHECK(refusal("10.0.0.0/-1") == "the network '10.0.0.0/-1' needs a number from 0 to 32 behind its slash");
  CHECK(refusal("2001:db8::/129") ==
        "the network '2001:db8::/129' needs a number from 0 to 128 behind its slash");
  CHECK(refusal("10.1.2.3/8") ==
        "the network '10.1.2.3/8' begins in the middle of a network: write 10.0.0.0/8");
  CHECK(refusal("2001:db8::1/32") ==
        "the network '2001:db8::1/32' begins in the middle of a network: write 2001:db8::/32");
}
