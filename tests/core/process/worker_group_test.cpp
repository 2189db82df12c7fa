#include "process/worker_group.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "support/addresses.h"

using namespace sluice;
using sluice::test::address;
using sluice::test::connects;

TEST_CASE("all addresses that a name has are listened on, at one port", "[worker_group]") {
  ListenAddress named = address("127.0.0.1:0");
  const ListenAddress second = address("127.0.0.2:0");
  named.text = "name:0";
  named.others.push_back({second.address, second.length});
  named.others.push_back({address("192.0.2.1:0").address, second.length});  // an address that no machine has
  Settings settings;
  settings.root = "/";
  settings.workers = 2;
  settings.listen = {named};
  settings.user = ::geteuid() == 0 ? "root" : "";
  const PlanPtr plan = std::move(*make_plan(settings));
  WorkerGroup group(plan, {});
  REQUIRE(group.open_listeners(nullptr));
  const auto groups = group.listeners(0);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0]->port() == groups[1]->port());
  for (const char* host : {"127.0.0.1:", "127.0.0.2:"})
    CHECK(connects(address(host + std::to_string(groups[0]->port()))));
  // A reload keeps both.
  WorkerGroup next(plan, {});
  REQUIRE(next.open_listeners(&group));
  CHECK(next.listeners(0) == groups);
}
