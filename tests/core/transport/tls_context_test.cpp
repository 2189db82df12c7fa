// Certificates and keys that do not fit are refused with a sentence.
#include "transport/tls_context.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "support/tls_address.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::TlsAddress;

namespace {

Certificate self_signed() {
  return std::move(*make_self_signed({}));
}

std::shared_ptr<const SecretBytes> secret(const std::string& text) {
  auto bytes = std::move(*SecretBytes::make(text.size()));
  text.copy(bytes.data(), text.size());
  return std::make_shared<SecretBytes>(std::move(bytes));
}

std::string refusal(Certificate certificate) {
  certificate.files = {"A.pem", "A.key"};
  TlsAddress address({certificate});
  const auto made = address.create();
  REQUIRE_FALSE(made.has_value());
  return made.error().message;
}

}  // namespace

TEST_CASE("a certificate with its key makes a context", "[tls_context]") {
  TlsAddress address({self_signed()});
  REQUIRE(address.create());
  CHECK_FALSE(address.context->nameless().is_slow);
}

TEST_CASE("what does not fit is refused with a sentence", "[tls_context]") {
  Certificate broken = self_signed();
  broken.chain = "no certificate";
  CHECK_THAT(refusal(broken), Contains("the certificate A.pem is not a certificate in PEM form"));
  broken = self_signed();
  broken.key = secret("no key");
  CHECK_THAT(refusal(broken), Contains("the private key A.key is not a private key in PEM form"));
  broken = self_signed();
  broken.key = self_signed().key;
  CHECK_THAT(refusal(broken), Contains("does not belong to the certificate A.pem"));
  broken = self_signed();
  broken.key = secret(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGrMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhMxV+o0J9w4wICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAAAAAAAAAAAAAAAAAAAAAAEUAAA\n"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  CHECK_THAT(refusal(broken), Contains("is encrypted: write it without a passphrase"));
}
