#include "settings/address_clash.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

using Texts = std::vector<std::string>;

std::string why(const std::vector<Texts>& sites) {
  std::vector<std::vector<ListenAddress>> addresses;
  for (const Texts& site : sites) {
    addresses.emplace_back();
    for (const std::string& text : site) {
      auto parsed = parse_listen(text);
      REQUIRE(parsed);
      addresses.back().push_back(std::move(*parsed));
    }
  }
  const auto checked = check_together(addresses);
  return checked ? std::string() : checked.error().message;
}

}  // namespace

TEST_CASE("addresses that include each other are refused, in either order", "[address_clash]") {
  CHECK(why({{":8080", "127.0.0.1:8080"}}) ==
        "cannot listen on both :8080 and 127.0.0.1:8080, because one is the other or includes it: leave one of "
        "them out");
  for (const auto& [one, other] : {std::pair(":8080", "127.0.0.1:8080"), std::pair("*:8080", "0.0.0.0:8080"),
                                   std::pair("[::]:8080", "[::1]:8080")}) {
    CAPTURE(one, other);
    CHECK_FALSE(why({{other}, {one}}).empty());
    CHECK_FALSE(why({{one}, {other}}).empty());
  }
  CHECK_FALSE(why({{":8080", "127.0.0.1:1", "127.0.0.2:8080"}}).empty());
  CHECK_FALSE(why({{"127.0.0.2:8080", ":8080"}}).empty());
  CHECK_FALSE(why({{"127.0.0.1:8080"}, {"127.0.0.1:8080"}}).empty());
}

TEST_CASE("addresses that do not clash are accepted", "[address_clash]") {
  CHECK(why({{":8080", "[::]:8080", "127.0.0.1:8081", "unix:/tmp/a", "unix:/tmp/b"}}).empty());
  CHECK(why({{":0", "127.0.0.1:0", ":0"}, {":0"}}).empty());
  CHECK(why({{"*:8080", "0.0.0.0:8080"}}).empty());  // two names of one address
  CHECK(why({{"127.0.0.1:8080", "127.0.0.2:8080"}, {"127.0.0.3:8080"}}).empty());
}

TEST_CASE("two paths to one Unix socket clash", "[address_clash]") {
  const TempFolder folder;
  std::filesystem::create_directory_symlink(folder.path, folder / "link");
  const std::string path = "unix:" + (folder / "socket");
  CHECK_FALSE(why({{path, "unix:" + (folder / "link/socket")}}).empty());
  CHECK_FALSE(why({{path}, {"unix:" + folder.path + "/./socket"}}).empty());
  CHECK(why({{path, "unix:" + (folder / "link/other")}}).empty());
}

TEST_CASE("one address of a name is enough to clash", "[address_clash]") {
  ListenAddress name = *parse_listen("127.0.0.1:8080");
  const ListenAddress six = *parse_listen("[::1]:8080");
  name.text = "localhost:8080";
  name.others.push_back({six.address, six.length});
  CHECK(check_together({{*parse_listen(":8080"), name}}));
  CHECK_FALSE(check_together({{name, *parse_listen(":8080")}}));
  CHECK_FALSE(check_together({{*parse_listen(":8080"), *parse_listen("[::]:8080"), name}}));
  CHECK(check_together({{name, *parse_listen("127.0.0.1:8080")}}));
}
