// Behind load balancers: who asks is the client, for the access log, modules and limits, if a trusted proxy
// tells it. HAProxy and curl send the headers where they are installed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/certified_site.h"
#include "support/installed.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::vector<std::string> logging(const Site& site, std::vector<std::string> more) {
  more.insert(more.end(), {"--workers", "1", "--access-log", site.path("log")});
  return more;
}

std::string logged(const Site& site) {
  return run({"cat", site.path("log")}).out;
}

// A socket of this test that listens, for a proxy that inherits it.
struct Listening {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string port;

  Listening() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd, generic, size) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    REQUIRE(::getsockname(fd, generic, &size) == 0);
    port = std::to_string(ntohs(address.sin_port));
  }
  ~Listening() { ::close(fd); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

// HAProxy before a server.
struct Balancer {
  Listening at;
  Process process;

  Balancer(const Site& site, const std::string& server_port, const std::string& mode, const std::string& lines,
           const std::string& way)
      : process({"haproxy", "-db", "-f",
                 site.write_beside("haproxy.cfg", "defaults\n  mode " + mode +
                                                      "\n  timeout connect 10s\n  timeout client 20s\n"
                                                      "  timeout server 20s\nlisten all\n  bind fd@" +
                                                      std::to_string(at.fd) + "\n" + lines +
                                                      "  server one 127.0.0.1:" + server_port + " " + way +
                                                      "\n")}) {}
  // As curl prints it that connects from 127.0.0.7.
  std::string fetch(const std::string& scheme, const std::string& target, const std::string& more = "") const {
    const std::string url = scheme + "://127.0.0.1:" + at.port + target;
    return run({"sh", "-c", "curl -sSk --noproxy '*' --interface 127.0.0.7 " + more + " '" + url + "' 2>&1"})
        .out;
  }
};

std::string port_of(const ServerProcess& server) {
  return std::to_string(server.endpoint().port);
}

}  // namespace

TEST_CASE("a PROXY header tells the client to the log and to modules", "[e2e][proxies]") {
  const Site site({"access"});
  site.add_module("tour");
  ServerProcess server(site, logging(site, {"--proxy-protocol", "127.0.0.0/8,unix", "--filter",
                                            "/=access:deny=198.51.100.0/24"}));
  HttpClient client(server.endpoint());
  client.send("PROXY TCP6 2001:db8::7 2001:db8::1 40000 80\r\n");
  CHECK_THAT(client.get("/tour/address").body, StartsWith("[2001:db8::7]:40000 "));
  HttpClient denied(server.endpoint());
  denied.send("PROXY TCP4 198.51.100.7 192.0.2.1 40000 80\r\n");
  CHECK(denied.get("/tour/address").status == 403);
  HttpClient without(server.endpoint());
  without.try_send("GET /tour/address HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(without.ends());
  CHECK(server.logs("because it does not begin with a PROXY header"));
  CHECK(server.stop() == 0);
  CHECK_THAT(logged(site), StartsWith("2001:db8::7 - - ["));
  CHECK_THAT(logged(site), Contains("\n198.51.100.7 - - ["));
}

TEST_CASE("trusted proxies tell the client, and others do not", "[e2e][proxies]") {
  const Site site({"access"});
  site.add_module("tour");
  site.add_module("tunnel");
  const std::string deny = "/=access:deny=198.51.100.0/24";
  {
    ServerProcess server(site, logging(site, {"--trusted-proxies", "127.0.0.0/8", "--filter", deny}));
    const Endpoint& at = server.endpoint();
    CHECK_THAT(fetch(at, "/tour/address", "X-Forwarded-For: 192.0.2.8, 192.0.2.7\r\n").body,
               StartsWith("192.0.2.7:0 "));
    CHECK_THAT(fetch(at, "/tunnel/peer", "X-Forwarded-For: 192.0.2.7\r\n").body,
               StartsWith("from 192 0 2 7 no port tls 0"));
    CHECK_THAT(fetch(at, "/tour/address", "X-Forwarded-For: 2001:db8::7\r\n").body,
               StartsWith("[2001:db8::7]:0 "));
    CHECK(fetch(at, "/tour/address", "X-Forwarded-For: 198.51.100.7\r\n").status == 403);
    CHECK_THAT(fetch(at, "/tour/address", "Forwarded: for=192.0.2.7\r\n").body, StartsWith("127.0.0.1:"));
    CHECK_THAT(fetch(at, "/tour/address").body, StartsWith("127.0.0.1:"));
    CHECK(server.stop() == 0);
    CHECK_THAT(logged(site), StartsWith("192.0.2.7 - - ["));
    CHECK_THAT(logged(site), Contains("\n2001:db8::7 - - ["));
  }
  ServerProcess server(site, {"--trusted-proxies", "192.0.2.0/24", "--filter", deny});
  CHECK_THAT(fetch(server.endpoint(), "/tour/address", "X-Forwarded-For: 198.51.100.7\r\n").body,
             StartsWith("127.0.0.1:"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a trusted proxy that ends TLS is believed that the client uses https", "[e2e][proxies]") {
  const Site site({"static_sendfile"});
  site.write("index.html", "page");
  ServerProcess server(site, {"--trusted-proxies", "127.0.0.1", "--redirect", "https", "--hsts", "365d",
                              "--mount", "/=static_sendfile:root=."});
  const HttpAnswer secure = fetch(server.endpoint(), "/", "X-Forwarded-Proto: https\r\n");
  CHECK(secure.status == 200);
  CHECK(secure.field("Strict-Transport-Security") == "max-age=31536000");
  const HttpAnswer clear = fetch(server.endpoint(), "/a?b", "X-Forwarded-Proto: http\r\n");
  CHECK(clear.status == 308);
  CHECK_FALSE(clear.has("Strict-Transport-Security"));
  CHECK_THAT(clear.field("Location"), StartsWith("https://") && Catch::Matchers::EndsWith("/a?b"));
  CHECK(fetch(server.endpoint(), "/").status == 308);
  CHECK(server.stop() == 0);
}

TEST_CASE("a trusted proxy that speaks TLS to the server may have a client without", "[e2e][proxies]") {
  if (!installed({"curl"})) return;
  const Site site({"static_sendfile"});
  site.write("index.html", "page");
  ServerProcess server(
      site, {"--trusted-proxies", "127.0.0.1", "--hsts", "365d", "--listen", "127.0.0.1:0", "--listen",
             "https://127.0.0.1:0", "--certificate", "self-signed", "--mount", "/=static_sendfile:root=."});
  const std::string port = std::to_string(https_endpoint(server).port);
  const auto head = [&](const std::string& proto) {
    return run({"sh", "-c",
                "curl -sSki --noproxy '*' -H 'X-Forwarded-Proto: " + proto + "' https://127.0.0.1:" + port +
                    "/ 2>&1"})
        .out;
  };
  CHECK_THAT(head("https"), Contains("strict-transport-security: max-age=31536000", Catch::CaseSensitive::No));
  CHECK_THAT(head("http"),
             !Contains("strict-transport-security", Catch::CaseSensitive::No) && Contains(" 200"));
  CHECK(server.stop() == 0);
}

TEST_CASE("curl introduces itself by a PROXY header", "[e2e][proxies]") {
  if (!installed({"curl"})) return;
  const Site site;
  site.add_module("tour");
  ServerProcess server(site, {"--proxy-protocol", "127.0.0.1", "--listen", "127.0.0.1:0", "--listen",
                              "https://127.0.0.1:0", "--certificate", "self-signed"});
  const auto fetched = [](const std::string& url) {
    return run({"sh", "-c", "curl -sSk --noproxy '*' --haproxy-protocol " + url + "/tour/address 2>&1"}).out;
  };
  CHECK_THAT(fetched("http://127.0.0.1:" + port_of(server)), StartsWith("127.0.0.1:"));
  CHECK_THAT(fetched("https://127.0.0.1:" + std::to_string(https_endpoint(server).port)),
             StartsWith("127.0.0.1:"));
  CHECK(server.stop() == 0);
}

TEST_CASE("HAProxy introduces its clients by both versions of the header", "[e2e][proxies]") {
  if (!installed({"haproxy", "curl"})) return;
  const Site site;
  site.add_module("tour");
  ServerProcess server(site,
                       logging(site, {"--proxy-protocol", "127.0.0.1", "--listen", "127.0.0.1:0", "--listen",
                                      "https://127.0.0.1:0", "--certificate", "self-signed"}));
  for (const std::string way :
       {"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn proxy-v2-options crc32c"}) {
    CAPTURE(way);
    const Balancer clear(site, port_of(server), "tcp", "", way);
    CHECK_THAT(clear.fetch("http", "/tour/address"), StartsWith("127.0.0.7:"));
    const Balancer tls(site, std::to_string(https_endpoint(server).port), "tcp", "", way);
    CHECK_THAT(tls.fetch("https", "/tour/address"), StartsWith("127.0.0.7:"));
    CHECK_THAT(tls.fetch("https", "/tour/address", "--http1.1"), StartsWith("127.0.0.7:"));
    // The health checks of HAProxy are connections of its own.
    const Balancer checked(site, port_of(server), "tcp", "", way + " check inter 50ms");
    CHECK_THAT(checked.fetch("http", "/tour/address"), StartsWith("127.0.0.7:"));
  }
  CHECK(server.stop() == 0);
  CHECK_THAT(logged(site), StartsWith("127.0.0.7 - - ["));
  CHECK(server.count_in_log("is refused") == 0);
}

TEST_CASE("HAProxy writes the fields that are believed", "[e2e][proxies]") {
  if (!installed({"haproxy", "curl"})) return;
  const Site site;
  site.add_module("tour");
  ServerProcess server(site, logging(site, {"--trusted-proxies", "127.0.0.1"}));
  const Balancer balancer(site, port_of(server), "http", "  option forwardfor\n", "");
  CHECK_THAT(balancer.fetch("http", "/tour/address"), StartsWith("127.0.0.7:0 "));
  CHECK_THAT(balancer.fetch("http", "/tour/address", "-H 'X-Forwarded-For: 192.0.2.66'"),
             StartsWith("127.0.0.7:0 "));
  CHECK_THAT(balancer.fetch("http", "/tour/address", "-H 'Forwarded: for=192.0.2.66'"),
             StartsWith("127.0.0.7:0 "));
  CHECK(server.stop() == 0);
  CHECK_THAT(logged(site), !Contains("192.0.2.66 - -"));
}
