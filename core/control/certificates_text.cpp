#include "control/certificates_text.h"

#include <sluice/kit/json.h>

#include "control/text_table.h"

namespace sluice {
namespace {

constexpr std::int64_t kSecondsADay = 24 * 60 * 60;

// Whole days; of a certificate that has expired a negative number.
std::int64_t days_left(const CertificateFacts& facts, std::int64_t now_s) {
  const std::int64_t left_s = facts.not_after_s - now_s;
  return left_s >= 0 ? left_s / kSecondsADay : -((-left_s + kSecondsADay - 1) / kSecondsADay);
}

}  // namespace

std::string certificates_text(const std::vector<CertificateView>& certificates, std::int64_t now_s) {
  if (certificates.empty()) return "no address speaks TLS, so there are no certificates\n";
  std::vector<TextRow> rows{{"DAYS LEFT", "EXPIRES", "SITES", "NAMES", "ISSUER", "CERTIFICATE"}};
  for (const auto& [facts, sites] : certificates) {
    const std::int64_t days = days_left(facts, now_s);
    rows.push_back({days < 0 ? "expired" : std::to_string(days), moment_text(facts.not_after_s),
                    some_names(sites), some_names(facts.names), facts.issuer, facts.file});
  }
  return text_table(rows);
}

std::string certificates_json(const std::vector<CertificateView>& certificates, std::int64_t now_s) {
  kit::JsonText json;
  json.array();
  for (const auto& [facts, sites] : certificates) {
    json.object().member("file", facts.file);
    json.key("sites").array();
    for (const std::string& site : sites) json.value(site);
    json.end().key("names").array();
    for (const std::string& name : facts.names) json.value(name);
    json.end().member("issuer", facts.issuer).member("not_after", facts.not_after_s);
    json.member("days_left", days_left(facts, now_s)).member("fingerprint", facts.fingerprint).end();
  }
  return json.end().dump() + "\n";
}

}  // namespace sluice
