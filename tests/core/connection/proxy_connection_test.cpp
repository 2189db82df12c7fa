// Connections that a proxy introduces: the header of the PROXY protocol comes before everything else.
#include <fcntl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <future>
#include <string>

#include "settings/certificate.h"
#include "support/served_client.h"
#include "support/tls_address.h"
#include "support/tls_client.h"

using namespace sluice;
using namespace std::string_literals;
using Catch::Matchers::Contains;

namespace {

const std::string kText = "PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n";
const std::string kBinary =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x13\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x50\x04\x00\x04tlvs"s;
const std::string kLocal = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s;
const std::string kRequest = "GET /m/address HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kNoHeader =
    "a connection from unix: is refused, because it does not begin with a PROXY header: --proxy-protocol names "
    "its network\n";

// The client has connected over a Unix socket.
struct Fixture : test::ServedClient {
  Networks networks;
  IntroducingProxies proxies{networks};

  Fixture() : ServedClient("tour") {
    site.address.proxies = &proxies;
    REQUIRE(networks.add("unix"));
  }
  std::string address() {
    const std::string answer = receive();
    const std::size_t content = answer.find("\r\n\r\n");
    return content == std::string::npos ? answer
                                        : answer.substr(content + 4, answer.find(' ', content) - content - 4);
  }
  // The connection is gone, and nothing was answered.
  bool is_refused() {
    loop->turn(0);
    return table.size() == 0 && receive().empty();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a header and a request may come together, or apart", "[proxy_connection]") {
  for (const std::string& header : {kText, kBinary}) {
    connect();
    send(header + kRequest);
    CHECK(address() == "192.0.2.1:40000");
    send(kRequest);  // on the same connection
    CHECK(address() == "192.0.2.1:40000");
    connect();
    send(header);
    CHECK(receive().empty());
    send(kRequest);
    CHECK(address() == "192.0.2.1:40000");
    connect();
    send(header + kRequest + kRequest);
    CHECK_THAT(receive(), Contains("192.0.2.1:40000"));
  }
}

TEST_CASE_METHOD(Fixture, "a second header is no request", "[proxy_connection]") {
  connect();
  send(kText + kText + kRequest);
  CHECK_THAT(receive(), Contains("HTTP/1.1 400 "));
}

TEST_CASE_METHOD(Fixture, "a header may come byte by byte", "[proxy_connection]") {
  for (const std::string& header : {kText, kBinary}) {
    connect();
    for (const char byte : header) send(std::string(1, byte));
    CHECK(receive().empty());
    for (const char byte : kRequest) send(std::string(1, byte));
    CHECK(address() == "192.0.2.1:40000");
  }
}

TEST_CASE_METHOD(Fixture, "over TCP a header may come byte by byte", "[proxy_connection]") {
  REQUIRE(networks.add("127.0.0.0/8"));
  connect_tcp();
  for (const char byte : kBinary + kRequest) send(std::string(1, byte));
  std::string got;
  CHECK(turn_until([&] {
    got += receive();
    return got.find("192.0.2.1:40000 at") != std::string::npos;
  }));
}

TEST_CASE_METHOD(Fixture, "where the proxy speaks for itself, the address is the socket's",
                 "[proxy_connection]") {
  connect();
  send(kLocal + kRequest);
  CHECK(address() == "unix:");
  connect();
  send("PROXY UNKNOWN\r\n" + kRequest);
  CHECK(address() == "unix:");
}

TEST_CASE_METHOD(Fixture, "a client within the proxy's host is one of this host only if the proxy is",
                 "[proxy_connection]") {
  const std::string local = "PROXY TCP4 127.0.0.1 127.0.0.1 40000 80\r\n";
  connect();
  send(local + kRequest);
  CHECK(address() == "127.0.0.1:40000");
  sockaddr_storage elsewhere{};
  elsewhere.ss_family = AF_INET;
  reinterpret_cast<sockaddr_in&>(elsewhere).sin_addr.s_addr = htonl(0xc0000209);
  REQUIRE(networks.add("192.0.2.9"));
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  client.reset(ends[0]);
  table.accept({UniqueFd(ends[1]), PeerAddress(elsewhere)}, site.address);
  send(local + kRequest);
  CHECK(address() == "192.0.2.9:0");
}

TEST_CASE_METHOD(Fixture, "others are served as usual, and their headers are not believed",
                 "[proxy_connection]") {
  networks = {};
  REQUIRE(networks.add("192.0.2.0/24"));
  connect();
  send(kRequest);
  CHECK(address() == "unix:");
  connect();
  send(kText + kRequest);
  CHECK_THAT(receive(), Contains("HTTP/1.1 400 "));
  connect();
  send(kBinary + kRequest);
  CHECK_THAT(receive(), Contains("HTTP/1.1 400 "));
}

TEST_CASE_METHOD(Fixture, "without a header a trusted connection is refused, and a line says why",
                 "[proxy_connection]") {
  for (const std::string& first : {kRequest, "P"s, "\x16\x03\x01"s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s}) {
    connect();
    send(first);
    if (first == "P") send("UT");
    CHECK(is_refused());
  }
  CHECK(logged().find(kNoHeader) != std::string::npos);
  CHECK(logged().find("is refused") == logged().rfind("is refused"));
}

TEST_CASE_METHOD(Fixture, "a broken header is refused, and what follows is no request", "[proxy_connection]") {
  connect();
  send("PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\n" + kRequest);
  CHECK(is_refused());
  CHECK_THAT(logged(), Contains("because its PROXY line does not end with CR and LF:"));
  connect();
  send(kBinary.substr(0, 12) + "\x21\x11\xff\xff"s + std::string(10'000, 'x'));
  CHECK(is_refused());
}

TEST_CASE_METHOD(Fixture, "a header without an end", "[proxy_connection]") {
  connect();
  SECTION("ends with the connection") {
    send(kBinary.substr(0, 20));
    ::shutdown(client.get(), SHUT_WR);
    CHECK(turn_until([this] { return table.size() == 0; }));
    CHECK_THAT(logged(), Contains("because its PROXY header has no end:"));
  }
  SECTION("has the time of a head") {
    loop->deadlines().set_duration(DeadlineKind::head, 50);
    connect();
    send(kText.substr(0, 20));
    CHECK(turn_until([this] { return is_closed(); }));
  }
  SECTION("does not get more time by each byte") {
    loop->deadlines().set_duration(DeadlineKind::head, 50);
    connect();
    CHECK(turn_until([this] {
      static_cast<void>(::send(client.get(), "\r", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
      return is_closed();
    }));
  }
}

TEST_CASE_METHOD(Fixture, "a look at the port is not worth a line", "[proxy_connection]") {
  SECTION("that ends at once") {
    connect();
    client.reset();
    CHECK(turn_until([this] { return table.size() == 0; }));
  }
  SECTION("that ends its side") {
    connect();
    ::shutdown(client.get(), SHUT_WR);
    CHECK(turn_until([this] { return table.size() == 0; }));
  }
  SECTION("that says nothing in time") {
    loop->deadlines().set_duration(DeadlineKind::head, 50);
    connect();
    CHECK(turn_until([this] { return table.size() == 0; }));
  }
  CHECK(logged().empty());
}

TEST_CASE_METHOD(Fixture, "a connection gives way to others until its header comes", "[proxy_connection]") {
  connect();
  loop->turn(0);
  CHECK(table.make_room());
  connect();
  send(kText.substr(0, 7));
  CHECK_FALSE(table.make_room());
}

TEST_CASE_METHOD(Fixture, "a proxy's word on https does not replace a client's certificate",
                 "[proxy_connection]") {
  site.address.proxies = nullptr;
  TrustedProxies trusted;
  REQUIRE(trusted.from.networks.add("unix"));
  context.trusted = &trusted;
  SiteSettings& settings = site.sites[0].settings;
  settings.redirect = Redirect::https;
  const std::string request = "GET /m/address HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: ";
  CHECK(status_of(request + "https\r\n\r\n") == "203");
  CHECK(status_of(request + "http\r\n\r\n") == "308");
  settings.client_certificates = ClientCertificates::required;
  CHECK(status_of(request + "https\r\n\r\n") == "308");
  context.trusted = nullptr;
}

TEST_CASE_METHOD(Fixture, "HTTP/2 in clear text follows a header", "[proxy_connection]") {
  site.address.http2_clear = true;
  connect();
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  send(kText + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings);
  const std::string answer = receive();
  REQUIRE(answer.size() > 9);
  CHECK(answer[3] == '\4');  // SETTINGS
}

TEST_CASE_METHOD(Fixture, "TLS follows a header", "[proxy_connection]") {
  test::TlsAddress address{{*make_self_signed({})}};
  TlsServices tls = address.services(*loop, *offload);
  AddressContext at{address.address.names, &tls};
  at.proxies = &proxies;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd server(ends[1]);
  REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  const bool apart = GENERATE(false, true);
  if (apart) table.accept(std::move(server), at);
  for (const char byte : kBinary) {
    REQUIRE(::send(ends[0], &byte, 1, 0) == 1);
    if (apart) loop->turn(0);
  }
  auto got = std::async(std::launch::async, [&] { return test::TlsClient(ends[0], {}).get("/m/address"); });
  if (!apart) {
    std::string seen(kBinary.size() + 1, '\0');
    // The hello is there, too.
    REQUIRE(turn_until([&] {
      return ::recv(server.get(), seen.data(), seen.size(), MSG_PEEK) == static_cast<ssize_t>(seen.size());
    }));
    table.accept(std::move(server), at);
  }
  CHECK(turn_until([&] { return got.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
  CHECK_THAT(got.get(), Contains("192.0.2.1:40000"));
  table.close_all();
  loop->turn(0);
}

TEST_CASE_METHOD(Fixture, "TLS without a header is refused", "[proxy_connection]") {
  test::TlsAddress address{{*make_self_signed({})}};
  TlsServices tls = address.services(*loop, *offload);
  AddressContext at{address.address.names, &tls};
  at.proxies = &proxies;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  client.reset(ends[0]);
  table.accept(UniqueFd(ends[1]), at);
  send("\x16\x03\x01\x02\x00");
  CHECK(is_refused());
  CHECK_THAT(logged(), Contains(kNoHeader));
}
