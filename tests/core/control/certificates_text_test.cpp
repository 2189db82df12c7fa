// Certificates as a table and as JSON.
#include "control/certificates_text.h"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;
const std::vector<CertificateView> kSome{
    {{"/a.pem", {"a.org", "www.a.org"}, kNow + 86'400 * 30 + 5, "AB", "CN=R3,O=Let's Encrypt"}, {"a.org"}},
    {{"self-signed", {"localhost"}, kNow - 1, "CD", "CN=localhost"}, {"default", "b.org"}}};

}  // namespace

TEST_CASE("certificates stand in a table", "[certificates]") {
  CHECK(certificates_text({}, kNow) == "no address speaks TLS, so there are no certificates\n");
  CHECK(certificates_text(kSome, kNow) ==
        "DAYS LEFT  EXPIRES                  SITES           NAMES             ISSUER                 "
        "CERTIFICATE\n"
        "30         2023-12-14 22:13:25 UTC  a.org           a.org, www.a.org  CN=R3,O=Let's Encrypt  /a.pem\n"
        "expired    2023-11-14 22:13:19 UTC  default, b.org  localhost         CN=localhost           "
        "self-signed\n");
}

TEST_CASE("certificates are told as JSON", "[certificates]") {
  CHECK(certificates_json({}, kNow) == "[]\n");
  CHECK(certificates_json(kSome, kNow) ==
        R"([{"file":"/a.pem","sites":["a.org"],"names":["a.org","www.a.org"],"issuer":"CN=R3,O=Let's Encrypt",)"
        R"("not_after":1702592005,"days_left":30,"fingerprint":"AB"},{"file":"self-signed",)"
        R"("sites":["default","b.org"],"names":["localhost"],"issuer":"CN=localhost","not_after":1699999999,)"
        R"("days_left":-1,"fingerprint":"CD"}])"
        "\n");
}
