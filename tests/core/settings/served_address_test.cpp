#include "settings/served_address.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/addresses.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::address;

namespace {

using Texts = std::vector<std::string>;

// Sites as they are written: names, and addresses.
struct Written {
  Texts names;
  Texts listen;
  Texts proxies{};
};

struct Sites {
  std::vector<std::vector<ListenAddress>> listen;
  Result<std::vector<ServedAddress>> served;

  explicit Sites(const std::vector<Written>& written) : served(std::vector<ServedAddress>()) {
    std::vector<AddressedSite> sites;
    for (const Written& site : written) {
      listen.emplace_back();
      for (const std::string& text : site.listen) listen.back().push_back(*parse_listen(text));
    }
    for (std::size_t i = 0; i < written.size(); ++i) {
      sites.push_back({"site" + std::to_string(i), written[i].names, listen[i]});
      for (const std::string& network : written[i].proxies) REQUIRE(sites.back().proxies.add(network));
    }
    served = serve_addresses(sites);
  }
};

std::string refusal(const std::vector<Written>& written) {
  const Sites sites(written);
  return sites.served ? "" : sites.served.error().message;
}

}  // namespace

TEST_CASE("an address has the proxies of its sites, which agree", "[served_address]") {
  const Sites sites(
      {{{}, {"127.0.0.1:80"}, {"10.0.0.0/8"}}, {{"a"}, {"127.0.0.1:80"}, {"10.0.0.0/8"}}, {{"b"}, {":81"}}});
  REQUIRE(sites.served);
  CHECK(sites.served->at(0).proxies.has(*PeerAddress::parse("10.0.0.1")));
  CHECK(sites.served->at(1).proxies.empty());
  CHECK(refusal({{{}, {"127.0.0.1:80"}, {"10.0.0.0/8"}}, {{"a"}, {"127.0.0.1:80"}}}) ==
        "the site site1 listens at 127.0.0.1:80 with another proxy-protocol than a site before it: write the "
        "same "
        "for both");
}

TEST_CASE("sites share the addresses that they write alike", "[served_address]") {
  const Sites sites({{{}, {"127.0.0.1:80", "https://127.0.0.1:443"}},
                     {{"a"}, {"127.0.0.1:80"}},
                     {{"b", "*.b"}, {"https://127.0.0.1:443", "127.0.0.1:81"}}});
  REQUIRE(sites.served);
  const std::vector<ServedAddress>& served = *sites.served;
  REQUIRE(served.size() == 3);
  CHECK(served[0].names.find("a") == 1);
  CHECK(served[0].names.find("b") == 0);
  CHECK(served[1].at.tls);
  CHECK(served[1].names.find("x.b") == 2);
  CHECK(served[1].names.find("a") == 0);
  CHECK(served[2].names.find("b") == 2);
  CHECK(served[2].names.find("a") == SiteNames::kNoSite);
}

TEST_CASE("a port that the kernel chooses is shared, and may stand twice", "[served_address]") {
  const Sites sites({{{}, {"127.0.0.1:0", "127.0.0.1:0"}}, {{"a"}, {"127.0.0.1:0", "127.0.0.1:0"}}});
  REQUIRE(sites.served);
  REQUIRE(sites.served->size() == 2);
  for (const ServedAddress& one : *sites.served) {
    CHECK(one.names.find("a") == 1);
    CHECK(one.names.find("b") == 0);
  }
}

TEST_CASE("one site may write an address in two ways", "[served_address]") {
  const Sites sites({{{"a"}, {"*:80", "0.0.0.0:80"}}});
  REQUIRE(sites.served);
  CHECK(sites.served->size() == 1);
}

TEST_CASE("claims that exclude each other are refused", "[served_address]") {
  CHECK_THAT(refusal({{{"a"}, {":80"}}, {{"b", "a"}, {":80"}}}),
             Contains("the name a is claimed twice at :80, by the sites site0 and site1"));
  CHECK(refusal({{{"a"}, {":80"}}, {{"a"}, {":81"}}}).empty());
  CHECK_THAT(refusal({{{}, {":80"}}, {{}, {":80"}}}), Contains("both answer to all names at :80"));
  CHECK_THAT(refusal({{{}, {":80"}}, {{"a"}, {"https://:80"}}}),
             Contains("is given with https:// for the site site1, and without it elsewhere"));
}

TEST_CASE("a name with several addresses is not shared by halves", "[served_address]") {
  ListenAddress name = address("127.0.0.1:80");
  name.text = "localhost:80";
  const ListenAddress six = *parse_listen("[::1]:80");
  name.others.push_back({six.address, six.length});
  const std::vector<ListenAddress> both{name};
  const std::vector<ListenAddress> one{address("127.0.0.1:80")};
  const Texts a{"a"};
  const Texts b{"b"};
  const auto served = serve_addresses({{"A", a, both}, {"B", b, one}});
  REQUIRE_FALSE(served);
  CHECK_THAT(served.error().message, Contains("which is partly the same"));
  CHECK(serve_addresses({{"A", a, both}, {"B", b, both}}));
}
