#include "config_settings.h"

#include <catch2/catch.hpp>

#include "cli/serve_reading.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
TEST_CASE("a file has sites, and what they leave out is as at the top") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", R"(
root = "/srv"
listen = [":80", "https://:443"]

[[site]]
names = ["A.Example", "*.a.example"]
log-name = "a"
listen = "127.0.0.1:81"
redirect = "https"
proxy-protocol = ["10.0.0.0/8", "unix"]
hsts = "365d subdomains"
error-pages = "/srv/errors"
certificate = "a.pem"
key = "a.key"
client-certificates = "required"
client-ca = "ca.pem"
  [[site.mount]]
  at = "/docs"
  module = "static_sendfile"
  root = "docs"
  index = ["a.html", "b.html"]
  listing = true
  cache = 16

[[site]]
names = "b.example"
mount = "/=hello"
)");
  const Settings made = settings({"--config", file});
  REQUIRE(made.sites.size() == 2);
  const SiteSettings& a = made.sites[0];
  CHECK(a.names == Arguments{"a.example", "*.a.example"});
  CHECK(a.log_name == "a");
  CHECK(a.root.empty());  // so it is the server's
  CHECK(made.root == "/srv");
  CHECK(a.listen.at(0).text == "127.0.0.1:81");
  CHECK(a.redirect == Redirect::https);
  CHECK(a.proxy_protocol.networks.has(*PeerAddress::parse("10.0.0.1")));
  CHECK_FALSE(made.proxy_protocol.said);
  CHECK(a.hsts.seconds == 365 * 86'400);
  CHECK(a.hsts.subdomains);
  CHECK(a.error_pages == "/srv/errors");
  CHECK(a.certificates == Arguments{"a.pem"});
  CHECK(a.client_certificates == ClientCertificates::required);
  REQUIRE(a.mounts.size() == 1);
  CHECK(a.mounts[0].prefix == "/docs/");
  CHECK(a.mounts[0].root == "docs");
  CHECK(a.mounts[0].options ==
        WrittenOptions{{"cache", "16"}, {"index", "a.html"}, {"index", "b.html"}, {"listing", "on"}});
  CHECK(made.sites[1].names == Arguments{"b.example"});
  CHECK(made.sites[1].mounts.at(0).module == "hello");
  CHECK_FALSE(made.has_default_site());
}

TEST_CASE("a mount of the command line may name its site") {
  const Settings made =
      settings({"--mount", "a.example/docs/=m", "--mount", "/=m", "--mount", "a.example/=n:k=v"});
  CHECK(mount_texts(made) == Arguments{"/=m"});
  REQUIRE(made.sites.size() == 1);
  CHECK(made.sites[0].names == Arguments{"a.example"});
  CHECK(made.sites[0].mounts.size() == 2);
  CHECK_FALSE(settings({"--mount", "a.example/=m"}).has_default_site());
  CHECK_THAT(refusal({"--mount", "a.example:80/=m"}), Contains("without a port"));
}

TEST_CASE("all mistakes of a file are told at once") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", R"(
wrokers = 1
head-timeout = 5
[[site]]
names = ["a b",
  "http://c"]
workers = 2
[[site.mount]]
module = "m"
)");
  const auto request = read({"--config", file});
  REQUIRE_FALSE(request);
  const std::string& all = request.error().message;
  std::size_t at = 0;  // they come in the order of the file
  for (const char* part :
       {":2:1: there is no key 'wrokers': did you mean 'workers'?", ":3:16: head-timeout: '5' has no unit",
        ":5:10: names: 'a b' is not the name of a site", ":6:3: names: 'http://c' is not the name of a site",
        ":7:1: 'workers' is of the whole server: write it above the first [[site]]",
        ":8:1: this mount has no place"}) {
    INFO(all);
    const std::size_t found = all.find(file + part, at);
    CHECK(found != std::string::npos);
    if (found != std::string::npos) at = found;
  }
}

TEST_CASE("a refused mount makes the filters before it no mistake") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", R"([[filter]]
at = "/"
module = "f"
[[mount]]
at = "a"
module = "m"
[[site]]
mount = "/=m"
)");
  CHECK(refusal({"--config", file}) ==
        file + ":4:1: the mount a has the prefix 'a': a prefix begins with '/', as in /docs/");
}

}  // namespace
