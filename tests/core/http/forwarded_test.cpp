#include "http/forwarded.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using namespace sluice;

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

struct Trust {
  TrustedProxies proxies;

  explicit Trust(ForwardedField field) {
    proxies.field = field;
    for (const char* network : {"10.0.0.0/8", "2001:db8:ffff::/48", "unix"})
      REQUIRE(proxies.from.networks.add(network));
  }
  // "ADDRESS", with " https" or " http" behind it if that was told.
  std::string judge(const Lines& lines, const PeerAddress& peer) const {
    std::vector<Field> fields;
    for (const auto& [name, value] : lines) fields.push_back({name, value});
    const Forwarded found = judge_forwarded(fields, proxies, peer);
    return found.client.text() + (!found.secure ? "" : *found.secure ? " https" : " http");
  }
  std::string judge(const Lines& lines, const std::string& peer = "10.0.0.1") const {
    return judge(lines, PeerAddress::parse(peer)->with_port(9));
  }
};

struct Row {
  std::string list;
  std::string client;
};

}  // namespace

TEST_CASE("the client is the last address that is not trusted", "[forwarded]") {
  const Trust trust(ForwardedField::x_forwarded);
  const Row rows[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.9, 192.0.2.1", "192.0.2.1"},
      {"192.0.2.9,192.0.2.1,10.0.0.2,10.0.0.3", "192.0.2.1"},
      {"10.0.0.4, 10.0.0.3", "10.0.0.4"},
      {"2001:db8::1", "[2001:db8::1]"},
      {"[2001:db8::1]", "[2001:db8::1]"},
      {"[2001:db8::1]:4711", "[2001:db8::1]"},
      {"192.0.2.1:4711", "192.0.2.1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"},
      {"192.0.2.1, 2001:db8:ffff::2", "192.0.2.1"},
      {"192.0.2.1,, ,", "192.0.2.1"},
      {"\t192.0.2.1 \t", "192.0.2.1"},
      // What stands before the client's own address is its own invention.
      {"garbage, 192.0.2.1", "192.0.2.1"},
      {"\", 192.0.2.1", "192.0.2.1"},
      {"unknown, 192.0.2.1", "192.0.2.1"},
      {"10.0.0.9, 192.0.2.1", "192.0.2.1"},
      {"192.0.2.1, \"10.0.0.2", "10.0.0.1:9"},
      // What cannot be read ends the way.
      {"", "10.0.0.1:9"},
      {"unknown", "10.0.0.1:9"},
      {"garbage", "10.0.0.1:9"},
      {"192.0.2.1, garbage", "10.0.0.1:9"},
      {"garbage, 10.0.0.2", "10.0.0.2"},
      {"192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"},
      {"192.0.2.1 10.0.0.2", "10.0.0.1:9"},
      {"192.0.2.1;10.0.0.2", "10.0.0.1:9"},
      {"192.0.2.256", "10.0.0.1:9"},
      {"192.0.2.1:", "10.0.0.1:9"},
      {"192.0.2.1:port:1", "10.0.0.1:9"},
      {"192.0.2.1:1234567890", "10.0.0.1:9"},
      {"[2001:db8::1", "10.0.0.1:9"},
      {"[2001:db8::1]4711", "10.0.0.1:9"},
      {"[192.0.2.1]", "10.0.0.1:9"},
      {"[]", "10.0.0.1:9"},
      {"fe80::1%eth0", "10.0.0.1:9"},
      {"\"192.0.2.1\"", "10.0.0.1:9"},
      {"for=192.0.2.1", "10.0.0.1:9"},
      {"unix:", "10.0.0.1:9"},
      // A client within the host of a proxy.
      {"127.0.0.1", "10.0.0.1:9"},
      {"::1", "10.0.0.1:9"},
      {"::ffff:127.0.0.1", "10.0.0.1:9"},
      {"127.0.0.1, 10.0.0.2", "10.0.0.2"},
      {std::string(15'000, ','), "10.0.0.1:9"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.list);
    CHECK(trust.judge({{"X-Forwarded-For", row.list}}) == row.client);
  }
}

TEST_CASE("several lines are one list", "[forwarded]") {
  const Trust trust(ForwardedField::x_forwarded);
  CHECK(trust.judge({{"x-forwarded-for", "192.0.2.8"}, {"Host", "a"}, {"X-FORWARDED-FOR", "192.0.2.1"}}) ==
        "192.0.2.1");
  CHECK(trust.judge({{"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-For", "10.0.0.2"}}) == "192.0.2.1");
}

TEST_CASE("a peer that is not trusted is the client, whatever it sends", "[forwarded]") {
  const Lines lines{
      {"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=192.0.2.1"}};
  for (const auto field : {ForwardedField::x_forwarded, ForwardedField::forwarded}) {
    const Trust trust(field);
    CHECK(trust.judge(lines, "198.51.100.1") == "198.51.100.1:9");
    CHECK(trust.judge(lines, "2001:db8::1") == "[2001:db8::1]:9");
    CHECK(trust.judge(lines, PeerAddress()) == "unknown");
  }
}

TEST_CASE("a Unix socket, and an IPv4 address that is mapped, can be trusted", "[forwarded]") {
  const Trust trust(ForwardedField::x_forwarded);
  CHECK(trust.judge({{"X-Forwarded-For", "192.0.2.1"}}, PeerAddress::of_unix_socket()) == "192.0.2.1");
  CHECK(trust.judge({{"X-Forwarded-For", "192.0.2.1"}}, "::ffff:10.0.0.1") == "192.0.2.1");
  CHECK(trust.judge({{"X-Forwarded-For", "127.0.0.1"}}, PeerAddress::of_unix_socket()) == "127.0.0.1");
  CHECK(trust.judge({{"X-Forwarded-For", "127.0.0.1, 10.0.0.2"}}, PeerAddress::of_unix_socket()) == "10.0.0.2");
}

TEST_CASE("only the chosen field is read, because clients send the other one", "[forwarded]") {
  const Lines lines{{"Forwarded", "for=192.0.2.7;proto=https"}, {"X-Forwarded-For", "192.0.2.1"}};
  CHECK(Trust(ForwardedField::x_forwarded).judge(lines) == "192.0.2.1");
  const Lines others{
      {"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=192.0.2.1"}};
  CHECK(Trust(ForwardedField::forwarded).judge(others) == "192.0.2.1");
}

TEST_CASE("the scheme is the last one that was told", "[forwarded]") {
  const Trust trust(ForwardedField::x_forwarded);
  const Row rows[] = {{"https", " https"},
                      {"HTTP", " http"},
                      {"http, https", " https"},
                      {"https, http", " http"},
                      {"wss", " https"},
                      {"ws", " http"},
                      {"wsss", ""},
                      {"https;", ""},
                      {"", ""},
                      {"https,", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.list);
    CHECK(trust.judge({{"X-Forwarded-Proto", row.list}}) == "10.0.0.1:9" + row.client);
  }
  CHECK(trust.judge({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}) == "10.0.0.1:9 http");
}

TEST_CASE("elements of Forwarded", "[forwarded]") {
  const Trust trust(ForwardedField::forwarded);
  const Row rows[] = {
      {"for=192.0.2.1", "192.0.2.1"},
      {"For=\"192.0.2.1:4711\"", "192.0.2.1"},
      {"for=\"[2001:db8::1]:4711\"", "[2001:db8::1]"},
      {"for=\"[2001:db8::1]:_port\"", "[2001:db8::1]"},
      {"for=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1 https"},
      {"proto=http; for=192.0.2.1;;", "192.0.2.1 http"},
      {"for=192.0.2.9, for=192.0.2.1;proto=https, for=10.0.0.2;proto=http", "192.0.2.1 https"},
      {"for=192.0.2.1, for=10.0.0.2;proto=https", "192.0.2.1 https"},
      {"for=192.0.2.1;host=\"a,b;c\"", "192.0.2.1"},
      {"for=192.0.2.1;proto=gopher", "192.0.2.1"},
      // What stands before the client's own address is its own invention.
      {"for=\", for=192.0.2.1", "192.0.2.1"},
      {"for=\", for=\"192.0.2.1\"", "192.0.2.1"},
      {"for=\"\\\", for=192.0.2.1", "192.0.2.1"},
      {"garbage, for=192.0.2.1", "192.0.2.1"},
      {"proto=https, for=192.0.2.1", "192.0.2.1"},
      // What cannot be read ends the way.
      {"for=unknown;proto=https", "10.0.0.1:9 https"},
      {"for=_hidden", "10.0.0.1:9"},
      {"proto=https", "10.0.0.1:9 https"},
      {"for=192.0.2.1;for=192.0.2.2", "10.0.0.1:9"},
      {"for=192.0.2.1;proto=https;proto=http", "10.0.0.1:9"},
      {"for=192.0.2.1;broken", "10.0.0.1:9"},
      {"for=192.0.2.1:80", "10.0.0.1:9"},
      {"for=[2001:db8::1]", "10.0.0.1:9"},
      {"for =192.0.2.1", "10.0.0.1:9"},
      {"for= 192.0.2.1", "10.0.0.1:9"},
      {"for=\"192.0.2.1", "10.0.0.1:9"},
      {"for=\"192.0.2.1\\\"\"", "10.0.0.1:9"},
      {"192.0.2.1", "10.0.0.1:9"},
      {"for=", "10.0.0.1:9"},
      {"=192.0.2.1", "10.0.0.1:9"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.list);
    CHECK(trust.judge({{"Forwarded", row.list}}) == row.client);
  }
}
