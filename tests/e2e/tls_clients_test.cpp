// TLS as the clients of other libraries see it: curl and wget (OpenSSL and GnuTLS), openssl s_client,
// gnutls-cli; and as testssl.sh judges it. A client that is not installed is left out.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/certified_site.h"
#include "support/installed.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

struct Served {
  Site site{{"static_sendfile"}};
  std::vector<std::string> files = write_certificate(site, "one");
  std::string content = random_bytes(1'000'000);
  ServerProcess server;
  std::string port;

  Served()
      : server((site.write("index.html", "page"), site.write("big.bin", content), site),
               {"--workers", "2", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
                files[0], "--key", files[1], "--hsts", "365d", "--mount", "/=static_sendfile:root=."}),
        port(std::to_string(https_endpoint(server).port)) {}
  // What a shell prints that has the server's port and certificate as $port and $ca.
  std::string shell(const std::string& command, int limit_ms = kWaitMs) const {
    return run({"sh", "-c", command}, {{"port", port}, {"ca", files[0]}, {"dir", site.path("")}}, "", limit_ms)
        .out;
  }
};

}  // namespace

TEST_CASE("clients of several libraries fetch a file over TLS", "[e2e][tls]") {
  const Served served;
  if (installed({"curl"})) {
    for (const std::string version : {"--tls-max 1.2", "--tlsv1.3"})
      CHECK((served.shell("curl -sS --noproxy '*' --cacert $ca " + version +
                          " https://localhost:$port/big.bin") == served.content));
  }
  if (installed({"wget"}))
    CHECK((served.shell("wget -q --no-proxy --ca-certificate=$ca -O - https://127.0.0.1:$port/big.bin") ==
           served.content));
  const std::string request =
      "printf 'GET /big.bin HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'";
  if (installed({"openssl"})) {
    const std::string out =
        served.shell(request +
                     " | openssl s_client -quiet -verify_return_error -CAfile $ca -servername localhost "
                     "-connect 127.0.0.1:$port");
    CHECK((out.find(served.content) != std::string::npos));
  }
  if (installed({"gnutls-cli"})) {
    const std::string out =
        served.shell(request +
                     " | gnutls-cli --logfile /dev/null --x509cafile $ca --sni-hostname localhost "
                     "--verify-hostname localhost -p $port 127.0.0.1");
    CHECK((out.find(served.content) != std::string::npos));
  }
}

TEST_CASE("testssl.sh finds nothing but that the certificate is one for tests", "[e2e][tls][full]") {
  if (!installed({"testssl"})) return;
  const Served served;
  served.shell("testssl --quiet --color 0 --ip=127.0.0.1 --jsonfile $dir/found.json https://localhost:$port",
               600'000);
  const std::string bad = served.shell(
      "grep -B4 -A3 -E '\"severity\" *: *\"(MEDIUM|HIGH|CRITICAL|WARN|FATAL)\"' $dir/found.json | grep "
      "'\"id\"' | "
      "grep -v -E 'cert_chain_of_trust|cert_revocation|cert_trust'");
  CHECK(bad == "");
  CHECK_THAT(served.shell("cat $dir/found.json"), Contains("\"TLS1_3\"") && Contains("\"heartbleed\""));
}
