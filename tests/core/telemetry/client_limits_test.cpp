// Which clients may have one more connection, handshake or request.
#include "telemetry/client_limits.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;

namespace {

struct Fixture {
  Settings settings;
  WorkerStats stats;
  std::shared_ptr<ClientCounts> counts = std::move(*ClientCounts::make(2));

  Fixture() {
    settings.limits.client_connections_max = 2;
    settings.limits.client_handshakes_max = 0;
    REQUIRE(settings.trusted_proxies.from.networks.add("198.51.100.0/24"));
  }
};

const PeerAddress kClient = *PeerAddress::parse("192.0.2.1");

}  // namespace

TEST_CASE_METHOD(Fixture, "a client may have so much at once, in all workers together", "[client_limits]") {
  ClientLimits one(counts, 0, settings, stats);
  ClientLimits two(counts, 1, settings, stats);
  const std::uint32_t place = one.place_of(kClient);
  CHECK(one.take(place, ClientUse::connection, kClient, 1));
  CHECK(two.take(place, ClientUse::connection, kClient, 1));
  CHECK_FALSE(one.take(place, ClientUse::connection, kClient, 1));
  CHECK_FALSE(two.take(place, ClientUse::connection, kClient, 1));
  CHECK(stats.clients_refused[static_cast<unsigned>(ClientUse::connection)].get() == 2);
  two.give(place, ClientUse::connection);
  CHECK(one.take(place, ClientUse::connection, kClient, 1));
  CHECK(one.take(place, ClientUse::request, kClient, 1));
}

TEST_CASE_METHOD(Fixture, "a limit of 0 is none", "[client_limits]") {
  ClientLimits limits(counts, 0, settings, stats);
  const std::uint32_t place = limits.place_of(kClient);
  for (int i = 0; i < 10; ++i) CHECK(limits.take(place, ClientUse::handshake, kClient, 1));
  limits.give(place, ClientUse::handshake);
  CHECK(counts->count(place, ClientUse::handshake) == 0);
}

TEST_CASE_METHOD(Fixture, "clients on this host, and trusted proxies, have no limit", "[client_limits]") {
  ClientLimits limits(counts, 0, settings, stats);
  for (const std::string text : {"127.0.0.1", "::1", "::ffff:127.0.0.1", "198.51.100.7"}) {
    const PeerAddress address = *PeerAddress::parse(text);
    const std::uint32_t place = limits.place_of(address);
    CHECK(place == ClientLimits::kNowhere);
    for (int i = 0; i < 10; ++i) CHECK(limits.take(place, ClientUse::connection, address, 1));
    limits.give(place, ClientUse::connection);
  }
  CHECK(limits.place_of(PeerAddress::of_unix_socket()) == ClientLimits::kNowhere);
  CHECK(limits.place_of({}) == ClientLimits::kNowhere);
}

TEST_CASE_METHOD(Fixture, "a worker forgets what its predecessor had counted", "[client_limits]") {
  const std::uint32_t place = counts->place_of(kClient);
  for (int i = 0; i < 5; ++i) counts->add(0, place, ClientUse::connection);
  ClientLimits limits(counts, 0, settings, stats);
  CHECK(limits.take(place, ClientUse::connection, kClient, 1));
}
