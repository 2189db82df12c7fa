#include "settings/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>

using namespace sluice;

namespace {

using Catch::Matchers::Contains;

sockaddr_in as_v4(const ListenAddress& listen) {
  sockaddr_in address{};
  std::memcpy(&address, &listen.address, sizeof(address));
  return address;
}

sockaddr_in6 as_v6(const ListenAddress& listen) {
  sockaddr_in6 address{};
  std::memcpy(&address, &listen.address, sizeof(address));
  return address;
}

// The sentence with which a parser refuses.
std::string refusal(const Result<ListenAddress>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

TEST_CASE("an IPv4 address to listen on") {
  const auto listen = parse_listen("127.0.0.1:8080");
  REQUIRE(listen);
  CHECK(listen->text == "127.0.0.1:8080");
  CHECK(listen->length == sizeof(sockaddr_in));
  CHECK_FALSE(listen->is_unix());
  const sockaddr_in address = as_v4(*listen);
  CHECK(address.sin_family == AF_INET);
  CHECK(ntohs(address.sin_port) == 8080);
  CHECK(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK);
}

TEST_CASE("all IPv4 addresses are '*' or no host") {
  for (const char* text : {"*:80", ":80", "0.0.0.0:80"}) {
    INFO(text);
    const auto listen = parse_listen(text);
    REQUIRE(listen);
    CHECK(as_v4(*listen).sin_addr.s_addr == htonl(INADDR_ANY));
    CHECK(ntohs(as_v4(*listen).sin_port) == 80);
  }
}

TEST_CASE("ports are 0 to 65535") {
  CHECK(ntohs(as_v4(*parse_listen(":0")).sin_port) == 0);
  CHECK(ntohs(as_v4(*parse_listen(":65535")).sin_port) == 65535);
  for (const char* text :
       {"a:", "a:65536", "a:-1", "a:+1", "a: 80", "a:80 ", "a:http", "a:99999999999999999999"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_listen(text)), Contains("a port is a number of 0 to 65535"));
  }
}

TEST_CASE("an IPv6 address to listen on stands in brackets") {
  const auto listen = parse_listen("[::1]:443");
  REQUIRE(listen);
  CHECK(listen->length == sizeof(sockaddr_in6));
  const sockaddr_in6 address = as_v6(*listen);
  CHECK(address.sin6_family == AF_INET6);
  CHECK(ntohs(address.sin6_port) == 443);
  CHECK(std::memcmp(&address.sin6_addr, &in6addr_loopback, sizeof(in6_addr)) == 0);
  CHECK(parse_listen("[::]:0"));
  CHECK_THAT(refusal(parse_listen("::1:443")), Contains("without brackets: write [V6]:PORT"));
  CHECK_THAT(refusal(parse_listen("[::1]")), Contains("has no port"));
  CHECK_THAT(refusal(parse_listen("[::1:443")), Contains("has no ']'"));
  CHECK_THAT(refusal(parse_listen("[]:443")), Contains("not an IPv6 address"));
  CHECK_THAT(refusal(parse_listen("[127.0.0.1]:443")), Contains("not an IPv6 address"));
}

TEST_CASE("a Unix socket to listen on") {
  const auto listen = parse_listen("unix:/run/sluice.sock");
  REQUIRE(listen);
  CHECK(listen->is_unix());
  sockaddr_un address{};
  std::memcpy(&address, &listen->address, sizeof(address));
  CHECK(std::string(address.sun_path) == "/run/sluice.sock");
  CHECK(listen->length == offsetof(sockaddr_un, sun_path) + std::strlen("/run/sluice.sock") + 1);
  CHECK(parse_listen("unix:" + std::string(107, 'x')));
  CHECK_THAT(refusal(parse_listen("unix:" + std::string(108, 'x'))), Contains("at most 107"));
  CHECK_THAT(refusal(parse_listen("unix:")), Contains("write unix:PATH"));
  CHECK_THAT(refusal(parse_listen(std::string("unix:a\0b", 8))), Contains("control character"));
}

TEST_CASE("host names are looked up, numbers are not") {
  // A machine without /etc/hosts may know no name at all.
  addrinfo* found = nullptr;
  if (getaddrinfo("localhost", nullptr, nullptr, &found) == 0) {
    const auto localhost = parse_listen("localhost:80");
    REQUIRE(localhost);
    const auto all = every_address(*localhost);
    CHECK(all.size() == 1 + localhost->others.size());
    for (const ListenAddress& one : all) {
      CHECK(one.text == "localhost:80");
      CHECK(one.is_one_of_several == (all.size() > 1));
      CHECK(one.others.empty());
    }
    freeaddrinfo(found);
  } else {
    WARN("the name localhost means nothing here");
  }
  CHECK_THAT(refusal(parse_listen("no-such-host.invalid:80")), Contains("'no-such-host.invalid'"));
  for (const char* text : {"127.1:80", "256.0.0.1:80", "1.2.3.4.5:80", "2130706433:80"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_listen(text)), Contains("is not an IPv4 address"));
  }
}

TEST_CASE("an address without a port says so") {
  for (const char* text : {"", "8080", "localhost", "127.0.0.1"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_listen(text)), Contains("has no port: write "));
  }
  CHECK_THAT(refusal(parse_listen("8080")), Contains("write 127.0.0.1:8080, or *:8080 for all addresses"));
  CHECK_THAT(refusal(parse_listen("[::1]")), Contains("write [::1]:8080"));
  CHECK_THAT(refusal(parse_listen("/run/x.sock")), Contains("unix:/run/x.sock for a Unix socket"));
}

TEST_CASE("an address may be written as a browser shows it") {
  CHECK(parse_listen("http://127.0.0.1:8080")->text == "127.0.0.1:8080");
  CHECK(parse_listen("http://127.0.0.1:8080/")->text == "127.0.0.1:8080");
  CHECK(parse_listen("http://127.0.0.1")->text == "127.0.0.1:80");
  CHECK(parse_listen("http://[::1]")->text == "[::1]:80");
  CHECK(parse_listen("http://*:81")->text == "*:81");
  CHECK_FALSE(parse_listen("http://127.0.0.1:8080")->tls);
  CHECK(parse_listen("https://127.0.0.1:8443/")->text == "127.0.0.1:8443");
  CHECK(parse_listen("https://127.0.0.1")->text == "127.0.0.1:443");
  CHECK(parse_listen("https://127.0.0.1")->tls);
  CHECK_THAT(refusal(parse_listen("tcp://127.0.0.1:80")), Contains("or https://HOST:PORT for TLS"));
  CHECK_THAT(refusal(parse_listen("http://127.0.0.1:80/app")), Contains("has a path"));
  CHECK_THAT(refusal(parse_listen("http://")), Contains("names no host"));
  CHECK_THAT(refusal(parse_listen("https://unix:/run/x.sock")), Contains("has no scheme"));
  CHECK_THAT(refusal(parse_listen("https://unix:x")), Contains("has no scheme"));
}

}  // namespace
