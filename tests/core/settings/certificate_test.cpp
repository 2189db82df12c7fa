// Files of certificates and keys: read whole, or refused with a sentence.
#include "settings/certificate.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string write(const test::TempFolder& folder, const std::string& name, std::string_view content) {
  folder.write(name, content);
  return folder / name;
}

}  // namespace

TEST_CASE("certificate and key are read as they are", "[certificate]") {
  const test::TempFolder folder;
  const std::string chain = write(folder, "chain.pem", "a chain");
  const std::string key = write(folder, "key.pem", "a key");
  const auto read = read_certificate({chain, key});
  REQUIRE(read.has_value());
  CHECK(read->chain == "a chain");
  CHECK(read->key->view() == "a key");
}

TEST_CASE("files that cannot be certificates are refused with a sentence", "[certificate]") {
  const test::TempFolder folder;
  const std::string good = write(folder, "good.pem", "text");
  const auto refusal = [&](const std::string& chain, const std::string& key) {
    const auto read = read_certificate({chain, key});
    REQUIRE_FALSE(read.has_value());
    return read.error().message;
  };
  CHECK_THAT(refusal(folder / "none", good), Contains("cannot be read: No such file"));
  CHECK_THAT(refusal(good, folder / "none"), StartsWith("the private key "));
  CHECK_THAT(refusal(folder.path, good), Contains("is not a regular file"));
  CHECK_THAT(refusal(good, write(folder, "empty", "")), Contains("is empty"));
  CHECK_THAT(refusal(write(folder, "large", std::string(2'000'000, 'x')), good),
             Contains("is larger than 1 MiB"));
  CHECK_THAT(refusal("/dev/zero", good), Contains("is not a regular file"));
}

TEST_CASE("a self-signed certificate is another one each time", "[certificate]") {
  const auto one = make_self_signed({});
  const auto other = make_self_signed({});
  REQUIRE((one && other));
  CHECK_THAT(one->chain, StartsWith("-----BEGIN CERTIFICATE-----"));
  CHECK_THAT(std::string(one->key->view()), StartsWith("-----BEGIN PRIVATE KEY-----"));
  CHECK(fingerprint_of(one->chain).size() == 32 * 3 - 1);
  CHECK(fingerprint_of(one->chain) != fingerprint_of(other->chain));
  CHECK(fingerprint_of("no certificate").empty());
}
