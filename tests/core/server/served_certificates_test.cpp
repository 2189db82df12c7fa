// Certificates that a reload has changed are logged.
#include "server/served_certificates.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>

#include "base/log.h"
#include "base/unique_fd.h"

using namespace sluice;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("a certificate has changed if its file is known and its fingerprint is not",
          "[served_certificates]") {
  const std::vector<CertificateFacts> before{{"a", {}, 0, "AA"}, {"b", {}, 0, "BB"}};
  const std::vector<CertificateFacts> now{{"a", {}, 86'400, "CC"}, {"b", {}, 0, "BB"}, {"c", {}, 0, "DD"}};
  const auto sentences = changes_of(before, now);
  REQUIRE(sentences.size() == 1);
  CHECK_THAT(sentences[0], StartsWith("the certificate a has changed: it expires at 1970-01-02 00:00:00 UTC"));
  CHECK_THAT(sentences[0], Contains("CC"));
  CHECK(changes_of({}, now).empty());
  CHECK(changes_of(now, now).empty());
}

TEST_CASE("a certificate that is about to expire is warned of when it is taken", "[served_certificates]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const UniqueFd log_file(::memfd_create("log", MFD_CLOEXEC));
  set_log_fd(log_file.get());
  ServedCertificates served(*loop);
  served.take(
      {{"soon.pem", {}, std::time(nullptr) + 100, "AA"}, {"late.pem", {}, std::time(nullptr) * 2, "BB"}});
  set_log_fd(STDERR_FILENO);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::pread(log_file.get(), text.data(), text.size(), 0)));
  CHECK_THAT(text, Contains("the certificate soon.pem expires within 1 day, "));
  CHECK_THAT(text, !Contains("late.pem"));
  CHECK(served.all().size() == 2);
}
