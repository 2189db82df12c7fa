// Names that a child has looked up are answered from its results.
#include "settings/name_service.h"

#include <netdb.h>

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("names that a child has looked up are not looked up again", "[name_service]") {
  REQUIRE(look_up_user("root"));
  const HostAddresses asked = look_up_host("127.0.0.1", 80, AF_UNSPEC);
  REQUIRE(asked.error == 0);
  REQUIRE(asked.all.size() == 1);
  const std::string heard = heard_names();
  {
    const HeardNames names(heard);
    const auto root = look_up_user("root");
    REQUIRE(root);
    CHECK(root->uid == 0);
    CHECK_FALSE(look_up_user("daemon"));
    const HostAddresses again = look_up_host("127.0.0.1", 80, AF_UNSPEC);
    REQUIRE(again.all.size() == 1);
    CHECK(again.all.front().length == asked.all.front().length);
    CHECK(look_up_host("127.0.0.1", 81, AF_UNSPEC).error == EAI_AGAIN);
  }
  CHECK(look_up_host("127.0.0.1", 81, AF_UNSPEC).error == 0);
  CHECK(look_up_host("no-such-host.invalid", 80, AF_UNSPEC).error != 0);
}
