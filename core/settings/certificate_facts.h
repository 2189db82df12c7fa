// What a certificate says about itself: its names, its end, its fingerprint. Plain values.
//
// Certificates come from others, so the supervisor does not parse them: a child does, and passes these facts on
// as text. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/certificate.h"

namespace sluice {

struct CertificateFacts {
  std::string file;                // as the settings name it, or kSelfSigned
  std::vector<std::string> names;  // hosts and addresses (subjectAltName), in printable characters
  std::int64_t not_after_s = 0;    // its last second, since 1970
  std::string fingerprint;         // SHA-256, as browsers show it
  std::string issuer{};            // who has signed it, as RFC 2253 writes it

  bool operator==(const CertificateFacts&) const = default;
};

// Parses the first certificate of each chain. Those that cannot be parsed are left out.
std::vector<CertificateFacts> facts_of(const std::vector<Certificate>& certificates);

std::string encode_facts(const std::vector<CertificateFacts>& all);
// Also of a text that a hostile process has written: numbers and lengths are bounded.
std::vector<CertificateFacts> decode_facts(std::string_view text);

// "2027-01-31 23:59:59 UTC".
std::string moment_text(std::int64_t seconds);

// A sentence if the certificate has ended, or ends within kWarnedDays.
inline constexpr int kWarnedDays = 14;
std::optional<std::string> expiry_warning(const CertificateFacts& facts, std::int64_t now_s);

}  // namespace sluice
