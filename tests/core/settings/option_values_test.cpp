#include "settings/option_values.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>

namespace sluice {
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
template <typename Value>
std::string refusal(const Result<Value>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

using Options = std::vector<std::pair<std::string, std::string>>;

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
  CHECK_THAT(refusal(parse_listen("[]:443")), Contains("no IPv6 address"));
  CHECK_THAT(refusal(parse_listen("[127.0.0.1]:443")), Contains("no IPv6 address"));
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
    CHECK_THAT(refusal(parse_listen(text)), Contains("is no IPv4 address"));
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
  CHECK_THAT(refusal(parse_listen("https://127.0.0.1:443")), Contains("only HTTP in clear text is spoken"));
  CHECK_THAT(refusal(parse_listen("tcp://127.0.0.1:80")), Contains("only HTTP in clear text is spoken"));
  CHECK_THAT(refusal(parse_listen("http://127.0.0.1:80/app")), Contains("has a path"));
  CHECK_THAT(refusal(parse_listen("http://")), Contains("names no host"));
}

TEST_CASE("a mount is a prefix and a module") {
  const auto mount = parse_mount("/docs/=static_sendfile");
  REQUIRE(mount);
  CHECK(mount->prefix == "/docs/");
  CHECK(mount->module == "static_sendfile");
  CHECK_FALSE(mount->root);
  CHECK(mount->options.empty());
}

TEST_CASE("a prefix is made to end with a slash") {
  CHECK(parse_mount("/docs=m")->prefix == "/docs/");
  CHECK(parse_mount("/=m")->prefix == "/");
  CHECK(parse_mount("/a/b=m")->prefix == "/a/b/");
  CHECK(parse_mount("/my files/...=m")->prefix == "/my files/.../");
}

TEST_CASE("prefixes that no request can have are refused") {
  CHECK_THAT(refusal(parse_mount("docs/=m")), Contains("'docs/': a prefix begins with '/'"));
  CHECK_THAT(refusal(parse_mount("=m")), Contains("a prefix begins with '/'"));
  CHECK_THAT(refusal(parse_mount("//=m")), Contains("has '//'"));
  CHECK_THAT(refusal(parse_mount("/a//b/=m")), Contains("has '//'"));
  CHECK_THAT(refusal(parse_mount("/a/./b=m")), Contains("segment '.'"));
  CHECK_THAT(refusal(parse_mount("/..=m")), Contains("segment '..'"));
  CHECK_THAT(refusal(parse_mount("/a%20b/=m")), Contains("has a '%'"));
  CHECK_THAT(refusal(parse_mount("/a?b/=m")), Contains("has a '?'"));
  CHECK_THAT(refusal(parse_mount("/a#b/=m")), Contains("has a '#'"));
  CHECK_THAT(refusal(parse_mount("/a\r\n/=m")), Contains("a control character in its prefix"));
}

TEST_CASE("a mount names a module") {
  CHECK_THAT(refusal(parse_mount("")), Contains("names no module: write PREFIX=MODULE"));
  CHECK_THAT(refusal(parse_mount("/docs/")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=:root=a")), Contains("names no module"));
  CHECK_THAT(refusal(parse_mount("/docs/=a.so")), Contains("a module named 'a.so'"));
  CHECK_THAT(refusal(parse_mount("/docs/=../a")), Contains("a module named '../a'"));
  CHECK(parse_mount("/docs/=Some-module_2")->module == "Some-module_2");
}

TEST_CASE("a mount's options keep their order, and root is apart") {
  const auto mount = parse_mount("/d/=m:index=index.html,root=a/b,size=8k,empty=");
  REQUIRE(mount);
  CHECK(mount->root == "a/b");
  CHECK(mount->options == Options{{"index", "index.html"}, {"size", "8k"}, {"empty", ""}});
}

TEST_CASE("values may hold '=', ':' and escaped commas and backslashes") {
  const auto mount = parse_mount(R"(/d/=m:a=x=y:z,b=one\,two\\three,c=\,)");
  REQUIRE(mount);
  CHECK(mount->options == Options{{"a", "x=y:z"}, {"b", "one,two\\three"}, {"c", ","}});
}

TEST_CASE("malformed options are refused") {
  for (const char* text : {"/=m:", "/=m:a=1,", "/=m:,a=1", "/=m:a=1,,b=2", "/=m:=1"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_mount(text)), Contains("lacks an option where it promises one"));
  }
  CHECK_THAT(refusal(parse_mount("/=m:a")), Contains("'a' without a value"));
  CHECK_THAT(refusal(parse_mount("/=m:a,b=1")), Contains("'a' without a value"));
  CHECK_THAT(refusal(parse_mount("/=m:a b=1")), Contains("an option named 'a b'"));
  CHECK_THAT(refusal(parse_mount("/=m:a=1,b=2,a=3")), Contains("gives the option 'a' twice"));
  CHECK_THAT(refusal(parse_mount("/=m:root=a,root=b")), Contains("gives the option 'root' twice"));
  CHECK_THAT(refusal(parse_mount("/=m:root=")), Contains("an empty root"));
  CHECK_THAT(refusal(parse_mount(R"(/=m:a=x\y)")), Contains("a lone backslash in the value of 'a'"));
  CHECK_THAT(refusal(parse_mount(R"(/=m:a=x\)")), Contains("a lone backslash"));
}

TEST_CASE("sizes") {
  CHECK(parse_size("0") == 0u);
  CHECK(parse_size("65536") == 65536u);
  CHECK(parse_size("64k") == 65536u);
  CHECK(parse_size("64K") == 65536u);
  CHECK(parse_size("1M") == 1048576u);
  CHECK(parse_size("2G") == 2147483648u);
  CHECK(parse_size("18446744073709551615") == 18446744073709551615u);
  for (const char* text : {"", "k", "-1", "+1", " 1", "1 k", "1kb", "1.5M", "0x10", "18446744073709551616",
                           "18014398509481984k"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_size(text)), Contains("is no size: write bytes, as in 65536, 64k, 1M or 2G"));
  }
}

TEST_CASE("durations") {
  CHECK(parse_duration_ms("0") == 0u);
  CHECK(parse_duration_ms("1500ms") == 1500u);
  CHECK(parse_duration_ms("30s") == 30'000u);
  CHECK(parse_duration_ms("5m") == 300'000u);
  CHECK(parse_duration_ms("1h") == 3'600'000u);
  for (const char* text : {"", "s", "-1s", "1.5s", "1 s", "1S", "1d", "1m30s", "18446744073709551615h"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_duration_ms(text)), Contains("is no time: write 500ms"));
  }
}

TEST_CASE("workers") {
  CHECK(parse_workers("auto") == 0u);
  CHECK(parse_workers("1") == 1u);
  CHECK(parse_workers("256") == 256u);
  for (const char* text : {"", "0", "257", "-1", "Auto", "2.0", "4294967297"}) {
    INFO(text);
    CHECK_THAT(refusal(parse_workers(text)), Contains("write auto, or a number of 1 to 256"));
  }
}

TEST_CASE("log levels and flags") {
  CHECK(parse_log_level("debug") == LogLevel::debug);
  CHECK(parse_log_level("info") == LogLevel::info);
  CHECK(parse_log_level("warning") == LogLevel::warning);
  CHECK(parse_log_level("error") == LogLevel::error);
  CHECK_THAT(refusal(parse_log_level("loud")), Contains("'loud' is no log level: write debug, info"));
  for (const char* text : {"on", "true", "yes", "1"}) CHECK(parse_flag(text) == true);
  for (const char* text : {"off", "false", "no", "0"}) CHECK(parse_flag(text) == false);
  CHECK_THAT(refusal(parse_flag("maybe")), Contains("'maybe' is neither on nor off"));
  CHECK_THAT(refusal(parse_flag("")), Contains("write on or off"));
}

}  // namespace
}  // namespace sluice

TEST_CASE("an isolated mount has an address of its own, and nothing else has") {
  const auto mount = sluice::parse_mount("/a/=m:isolate=on,listen=127.0.0.1:81,x=1");
  REQUIRE(mount);
  CHECK(mount->isolate);
  CHECK(mount->listen->text == "127.0.0.1:81");
  CHECK(mount->options.size() == 1);
  CHECK_FALSE(sluice::parse_mount("/a/=m:isolate=off")->isolate);
  const auto why = [](const char* text) { return sluice::parse_mount(text).error().message; };
  CHECK(why("/a/=m:isolate=on").find("has no address of its own: add listen=ADDRESS") != std::string::npos);
  CHECK(why("/a/=m:listen=:81").find("is not isolated: add isolate=on") != std::string::npos);
  CHECK(why("/a/=m:isolate=maybe,listen=:81").find("neither on nor off") != std::string::npos);
  CHECK(why("/a/=m:isolate=on,listen=:x").find("a port is a number") != std::string::npos);
  CHECK(why("/a/=m:isolate=on,listen=:81,listen=:82").find("twice") != std::string::npos);
}
