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
  // One URL, since the name is one.
  REQUIRE(group.urls(0).size() == 1);
  const std::string url = group.urls(0).front();
  const std::string port = url.substr(url.rfind(':') + 1);
  for (const char* host : {"127.0.0.1:", "127.0.0.2:"}) CHECK(connects(address(host + port)));
  // A reload keeps both.
  WorkerGroup next(plan, {});
  REQUIRE(next.open_listeners(&group));
  CHECK(next.urls(0) == group.urls(0));
  CHECK(next.sockets_of(0) == group.sockets_of(0));
}

TEST_CASE("a reload may give an address TLS", "[worker_group]") {
  Settings settings;
  settings.root = "/";
  settings.workers = 1;
  settings.listen = {*parse_listen("127.0.0.1:0")};
  settings.user = ::geteuid() == 0 ? "root" : "";
  WorkerGroup group(std::move(*make_plan(settings)), {});
  REQUIRE(group.open_listeners(nullptr));
  settings.listen.front().tls = true;
  settings.certificates.emplace_back(kSelfSigned);
  WorkerGroup next(std::move(*make_plan(settings)), {});
  REQUIRE(next.open_listeners(&group));
  CHECK(next.sockets_of(0).front().fd == group.sockets_of(0).front().fd);
  CHECK(next.urls(0).front().starts_with("https://127.0.0.1:"));
}
