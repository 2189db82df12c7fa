#include "server/served_certificates.h"

#include <fmt/core.h>
#include <algorithm>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"

namespace sluice {

std::vector<std::string> changes_of(const std::vector<CertificateFacts>& before,
                                    const std::vector<CertificateFacts>& now) {
  std::vector<std::string> sentences;
  for (const CertificateFacts& facts : now) {
    const auto has = [&](auto CertificateFacts::*member) {
      return std::any_of(before.begin(), before.end(),
                         [&](const CertificateFacts& other) { return other.*member == facts.*member; });
    };
    if (!has(&CertificateFacts::file) || has(&CertificateFacts::fingerprint)) continue;
    sentences.push_back(
        fmt::format("the certificate {} has changed: it expires at {}, and its SHA-256 fingerprint is "
                    "{}",
                    facts.file, moment_text(facts.not_after_s), facts.fingerprint));
  }
  return sentences;
}

void ServedCertificates::take(std::vector<CertificateFacts> facts) {
  const std::vector<CertificateFacts> before = std::exchange(all_, std::move(facts));
  for (const std::string& sentence : changes_of(before, all_)) log(LogLevel::info, sentence);
  warn();
}

void ServedCertificates::warn() {
  constexpr std::uint64_t kDayMs = 24ULL * 3600 * 1000;
  const std::int64_t now_s = std::time(nullptr);
  for (const CertificateFacts& facts : all_) {
    if (const auto warning = expiry_warning(facts, now_s)) log(LogLevel::warning, *warning);
  }
  daily_.at(all_.empty() ? Alarm::kNever : monotonic_ms() + kDayMs);
}

}  // namespace sluice
