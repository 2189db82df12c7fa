// Plays the whole table to both file modules: in one piece, byte by byte, and between other requests.
#include <catch2/catch.hpp>

#include "conformance/player.h"
#include "support/server_process.h"

using namespace sluice::conformance;
using sluice::test::ScratchFolder;
using sluice::test::ServerProcess;

namespace {

void play_all(const std::string& module) {
  sluice::test::Site server_site({module});
  const Site site(server_site.root());
  ServerProcess server(server_site, sluice_mounts(module));
  Player player(server.endpoint(), site);
  std::size_t played = 0;
  for (const Table& table : all_tables()) {
    for (const Case& tried : table.cases) {
      for (const Delivery delivery : {Delivery::whole, Delivery::byte_by_byte, Delivery::pipelined}) {
        const Played result = player.play(tried, delivery);
        INFO(table.name << ": " << tried.rule << ": " << tried.name << ", delivery "
                        << static_cast<int>(delivery));
        INFO("expected " << tried.expected);
        CHECK(result.wrong == "");
        ++played;
      }
    }
  }
  CHECK(played > 3 * 300);
  CHECK(server.stop() == 0);
}

}  // namespace

TEST_CASE("static_sendfile keeps the rules", "[conformance]") {
  play_all("static_sendfile");
}

TEST_CASE("dynamic_aio keeps the rules", "[conformance]") {
  play_all("dynamic_aio");
}
