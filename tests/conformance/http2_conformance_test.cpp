// Plays the tables of HTTP/2 to both file modules, in clear text and over TLS.
#include <catch2/catch.hpp>

#include "conformance/http2_player.h"
#include "conformance/site.h"
#include "support/certified_site.h"
#include "support/server_process.h"

using namespace sluice::conformance;
using sluice::test::ServerProcess;

namespace {

void play_all(const std::string& module) {
  sluice::test::Site server_site({module, "echo"});
  const auto files = sluice::test::write_certificate(server_site, "one");
  const Site site(server_site.root());
  std::vector<std::string> options = sluice_mounts(module);
  options.insert(options.end(),
                 {"--mount", "/echo/=echo", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0",
                  "--certificate", files[0], "--key", files[1], "--protocols", "h2,http/1.1,h2c"});
  ServerProcess server(server_site, options);
  const sluice::test::Endpoint https = sluice::test::https_endpoint(server);
  std::size_t played = 0;
  for (const Http2Table& table : all_http2_tables()) {
    for (const Http2Case& tried : table.cases) {
      for (const bool tls : {false, true}) {
        INFO(table.name << ": " << tried.rule << ": " << tried.name << (tls ? ", over TLS" : ""));
        INFO("expected " << tried.expected);
        CHECK(play_http2(tried, tls ? https : server.endpoint(), tls) == "");
        ++played;
      }
    }
  }
  CHECK(played > 2 * 120);
  CHECK(server.stop() == 0);
}

}  // namespace

TEST_CASE("static_sendfile keeps the rules of HTTP/2", "[conformance][http2]") {
  play_all("static_sendfile");
}

TEST_CASE("dynamic_aio keeps the rules of HTTP/2", "[conformance][http2]") {
  play_all("dynamic_aio");
}
