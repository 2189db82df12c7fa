// How much each client uses at once, in memory that all workers share.
#include "base/client_counts.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace sluice;

namespace {

std::uint32_t place_of(const ClientCounts& counts, const std::string& address) {
  return counts.place_of(*PeerAddress::parse(address));
}

}  // namespace

TEST_CASE("a client is counted in one place, whatever its port and network", "[client_counts]") {
  const auto counts = std::move(*ClientCounts::make(1));
  const std::uint32_t place = place_of(*counts, "192.0.2.1");
  CHECK(place < ClientCounts::kPlaces);
  CHECK(place_of(*counts, "::ffff:192.0.2.1") == place);
  CHECK(counts->place_of(PeerAddress::parse("192.0.2.1")->with_port(7)) == place);
  CHECK(place_of(*counts, "2001:db8::1") == place_of(*counts, "2001:db8::ffff:2"));
}

TEST_CASE("clients are spread over the places", "[client_counts]") {
  const auto counts = std::move(*ClientCounts::make(1));
  std::set<std::uint32_t> places;
  for (int i = 0; i < 1000; ++i) {
    places.insert(place_of(*counts, "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
    places.insert(place_of(*counts, "2001:db8:0:" + std::to_string(i) + "::1"));
  }
  CHECK(places.size() > 1500);  // of 2000, by chance 1884; less than 1500 by none
}

TEST_CASE("the counts are those of all workers, and a new worker begins anew", "[client_counts]") {
  const auto counts = std::move(*ClientCounts::make(3));
  const std::uint32_t place = place_of(*counts, "192.0.2.1");
  counts->add(0, place, ClientUse::connection);
  const pid_t other = ::fork();
  if (other == 0) {
    counts->add(2, place, ClientUse::connection);
    counts->add(2, place, ClientUse::connection);
    counts->add(2, place, ClientUse::request);
    ::_exit(0);
  }
  REQUIRE(::waitpid(other, nullptr, 0) == other);
  CHECK(counts->count(place, ClientUse::connection) == 3);
  CHECK(counts->count(place, ClientUse::request) == 1);
  CHECK(counts->count(place, ClientUse::handshake) == 0);
  counts->clear(2);
  CHECK(counts->count(place, ClientUse::connection) == 1);
  CHECK(counts->count(place, ClientUse::request) == 0);
  counts->subtract(0, place, ClientUse::connection);
  CHECK(counts->count(place, ClientUse::connection) == 0);
}
