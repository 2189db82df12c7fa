// What certificates say of themselves, and sentences about their end.
#include "settings/certificate_facts.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

constexpr std::int64_t kDay = 24 * 3600;

}  // namespace

TEST_CASE("names, end and fingerprint are read", "[certificate_facts]") {
  const auto made = make_self_signed({});
  REQUIRE(made);
  const auto all = facts_of({*made, {{"broken.pem", ""}, "no certificate", nullptr, 0}});
  REQUIRE(all.size() == 1);
  const CertificateFacts& facts = all[0];
  CHECK(facts.file == kSelfSigned);
  CHECK(facts.fingerprint == fingerprint_of(made->chain));
  CHECK_THAT(facts.issuer, Catch::Matchers::StartsWith("CN="));
  CHECK(std::count(facts.names.begin(), facts.names.end(), "localhost") == 1);
  CHECK(std::count(facts.names.begin(), facts.names.end(), "127.0.0.1") == 1);
  CHECK(std::count(facts.names.begin(), facts.names.end(), "::1") == 1);
  const std::int64_t left_s = facts.not_after_s - std::time(nullptr);
  CHECK(left_s > 89 * kDay);
  CHECK(left_s <= 90 * kDay);
  CHECK(made->renew_at_s < facts.not_after_s - 29 * kDay);
}

TEST_CASE("facts go through a text", "[certificate_facts]") {
  const std::vector<CertificateFacts> all{
      {"/a:b", {"example.org", "*.example.org"}, 1'800'000'000, "AB:CD", "CN=An issuer,O=X"}, {"c", {}, 0, ""}};
  CHECK(decode_facts(encode_facts(all)) == all);
  CHECK(decode_facts("").empty());
}

TEST_CASE("a hostile text is bounded", "[certificate_facts]") {
  CertificateFacts hostile{"f", std::vector<std::string>(1000, "a\nb\x1b[31m"), 0, "\n"};
  hostile.names[0] = std::string(10'000, 'x');
  std::string text = encode_facts({hostile});
  text.replace(text.find("1:0"), 3, "20:99999999999999999999");
  const auto read = decode_facts(text);
  REQUIRE(read.size() == 1);
  CHECK(read[0].names.size() == 100);
  CHECK(read[0].names[0].size() == 255);
  CHECK(read[0].names[1] == "a?b?[31m");
  CHECK(read[0].fingerprint == "?");
  CHECK_FALSE(moment_text(read[0].not_after_s).empty());
  text = encode_facts({{"f", {}, 5, ""}});
  text.replace(text.find("1:5"), 3, "19:9223372036854775807");
  CHECK(moment_text(decode_facts(text).at(0).not_after_s) == "9999-12-31 23:59:59 UTC");
}

TEST_CASE("a certificate that ends within two weeks is warned of", "[certificate_facts]") {
  const std::int64_t now_s = 1'700'000'000;
  const auto warning = [&](std::int64_t left_s) {
    return expiry_warning({"a.pem", {}, now_s + left_s, ""}, now_s).value_or("");
  };
  CHECK(warning(14 * kDay + 1).empty());
  CHECK_THAT(warning(14 * kDay - 1), Contains("the certificate a.pem expires within 14 days, at 2023-11-28 ") &&
                                         EndsWith(": renew it"));
  CHECK_THAT(warning(14 * kDay), Contains("expires within 14 days, at "));
  CHECK_THAT(warning(2 * kDay), Contains("expires within 2 days, at "));
  CHECK_THAT(warning(0), Contains("expires within 1 day, at "));
  CHECK(warning(-1) ==
        "the certificate a.pem expired at 2023-11-14 22:13:19 UTC, and clients refuse it: renew it");
  const auto own = expiry_warning({std::string(kSelfSigned), {}, now_s, ""}, now_s);
  CHECK_THAT(own.value_or(""), EndsWith("reload the server, which makes another one"));
}
