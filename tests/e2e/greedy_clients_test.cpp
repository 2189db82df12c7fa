// Clients that want too much at once, or are too slow: each meets a limit, and others are served.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/certified_site.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

const std::string kGet = "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n";

// A connection that a proxy on this host passes on for a client elsewhere.
HttpClient client_at(const Endpoint& endpoint, const std::string& address) {
  HttpClient client(endpoint);
  client.send("PROXY TCP4 " + address + " 198.51.100.1 4000 80\r\n");
  return client;
}

bool is_served(HttpClient& client) {
  return client.try_send(kGet) && !client.read_available().empty();
}

std::string status_of(const Site& site) {
  return run({sluice_binary(), "status", "--json"}, {{"RUNTIME_DIRECTORY", site.path("run")}}).out;
}

}  // namespace

TEST_CASE("a client has a limited number of connections, with all workers together", "[e2e][greedy]") {
  const Site site({"hello"});
  ServerProcess server(site,
                       {"--workers", "2", "--proxy-protocol", "127.0.0.1", "--client-connections-max", "5"});
  std::vector<HttpClient> kept;
  for (int i = 0; i < 5; ++i) {
    kept.push_back(client_at(server.endpoint(), "192.0.2.1"));
    CHECK(is_served(kept.back()));
  }
  for (int i = 0; i < 10; ++i) {
    HttpClient more = client_at(server.endpoint(), "192.0.2.1");
    CHECK_FALSE(is_served(more));
  }
  HttpClient other = client_at(server.endpoint(), "192.0.2.2");
  CHECK(is_served(other));
  for (HttpClient& client : kept) CHECK(is_served(client));
  CHECK(server.logs("192.0.2.1 has as many connections open as --client-connections-max allows"));
  CHECK_THAT(status_of(site), Contains(R"("clients_refused":{"connection":10,"handshake":0,"request":0})"));
  kept.pop_back();
  CHECK(eventually([&] {
    HttpClient again = client_at(server.endpoint(), "192.0.2.1");
    return is_served(again);
  }));
}

TEST_CASE("what a crashed worker has counted is forgotten", "[e2e][greedy]") {
  const Site site({"hello"});
  ServerProcess server(site,
                       {"--workers", "1", "--proxy-protocol", "127.0.0.1", "--client-connections-max", "2"});
  std::vector<HttpClient> kept;
  for (int i = 0; i < 2; ++i) {
    kept.push_back(client_at(server.endpoint(), "192.0.2.1"));
    CHECK(is_served(kept.back()));
  }
  const pid_t before = server.workers().front();
  REQUIRE(::kill(before, SIGKILL) == 0);
  CHECK(eventually([&] {
    HttpClient again = client_at(server.endpoint(), "192.0.2.1");
    return is_served(again);
  }));
}

TEST_CASE("a client has a limited number of requests under way", "[e2e][greedy]") {
  const Site site({"hello", "defer"});
  ServerProcess server(site, {"--workers", "1", "--trusted-proxies", "127.0.0.1", "--client-requests-max", "3",
                              "--mount", "/defer/=defer:delay=2s", "--mount", "/hello/=hello"});
  const std::string from = "X-Forwarded-For: 192.0.2.1\r\n";
  std::vector<HttpClient> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back(server.endpoint());
    waiting.back().request("GET", "/defer/x", from);
  }
  CHECK(eventually([&] { return status_of(site).find(R"("handler":3)") != std::string::npos; }));
  HttpClient fourth(server.endpoint());
  const HttpAnswer refused = fourth.get("/hello/", from);
  CHECK(refused.status == 429);
  CHECK(refused.field("Retry-After") == "1");
  CHECK(fourth.get("/hello/", "X-Forwarded-For: 192.0.2.2\r\n").status == 200);
  CHECK(fourth.get("/hello/").status == 200);
  for (HttpClient& client : waiting) CHECK(client.read_answer().status == 200);
  CHECK(fourth.get("/hello/", from).status == 200);
  CHECK(server.logs("--client-requests-max"));
}

TEST_CASE("a client has a limited number of TLS handshakes under way", "[e2e][greedy]") {
  const Site site({"hello"});
  const auto files = write_certificate(site, "a");
  ServerProcess server(
      site, {"--workers", "1", "--listen", "https://127.0.0.1:0", "--listen", "127.0.0.1:0", "--certificate",
             files[0], "--key", files[1], "--proxy-protocol", "127.0.0.1", "--client-handshakes-max", "3"});
  const Endpoint endpoint = https_endpoint(server);
  std::vector<HttpClient> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(client_at(endpoint, "192.0.2.1"));
  CHECK(eventually([&] { return status_of(site).find(R"("head":3)") != std::string::npos; }));
  HttpClient fourth = client_at(endpoint, "192.0.2.1");
  CHECK(fourth.ends());
  CHECK(server.logs("--client-handshakes-max"));
  silent.clear();
  // Connections whose handshake is done do not count.
  for (int i = 0; i < 6; ++i) {
    CHECK(eventually([&] {
      HttpClient client = client_at(endpoint, "192.0.2.1");
      try {
        return TlsClient(::dup(client.fd()), {}).get("/hello/").find("200 OK") != std::string::npos;
      } catch (const std::runtime_error&) {
        return false;
      }
    }));
  }
}

TEST_CASE("a head that comes byte by byte is not waited for, in clear text or TLS", "[e2e][greedy]") {
  const Site site({"hello"});
  const auto files = write_certificate(site, "a");
  ServerProcess server(
      site, {"--workers", "1", "--listen", "https://127.0.0.1:0", "--listen", "127.0.0.1:0", "--certificate",
             files[0], "--key", files[1], "--head-timeout", "400ms", "--linger-timeout", "100ms"});
  SECTION("in clear text") {
    HttpClient client(server.endpoint());
    client.send("GET / HTTP/1.1\r\nX: ");
    CHECK(eventually([&] {
      ::usleep(20'000);
      return !client.try_send("x");
    }));
  }
  SECTION("in a handshake") {
    HttpClient client(https_endpoint(server));
    client.send("\x16\x03\x01\x02");
    CHECK(eventually([&] {
      ::usleep(20'000);
      return !client.try_send("\x01");
    }));
  }
  SECTION("behind a handshake") {
    ::signal(SIGPIPE, SIG_IGN);  // of OpenSSL's socket
    TlsClient client(https_endpoint(server));
    CHECK(eventually([&] {
      ::usleep(20'000);
      try {
        client.send("G");
        return false;
      } catch (const std::runtime_error&) {
        return true;
      }
    }));
  }
}

TEST_CASE("an answer that is read too slowly is cut, whatever it is made of", "[e2e][greedy]") {
  const Site site({"static_sendfile", "dynamic_aio"});
  const std::string large(16 * 1024 * 1024, 'x');
  for (const std::string folder : {"static", "dynamic"}) site.write(folder + "/large.txt", large);
  site.write("static/small.txt", "small");
  const std::string target = GENERATE("/static/large.txt", "/dynamic/large.txt", "/live/large.txt");
  CAPTURE(target);
  ServerProcess server(site, {"--workers", "1", "--send-timeout", "400ms", "--send-rate-min", "1M", "--mount",
                              "/static/=static_sendfile", "--mount", "/dynamic/=dynamic_aio", "--mount",
                              "/live/=dynamic_aio:root=dynamic,process=markers"});
  HttpClient slow(server.endpoint(), kClientTimeoutMs, 4096);
  slow.request("GET", target);
  CHECK(eventually([&] {
    ::usleep(10'000);
    return slow.read_some(1024).size() < 1024;
  }));
  CHECK(slow.was_reset());
  CHECK(fetch(server.endpoint(), "/static/small.txt").status == 200);
}
