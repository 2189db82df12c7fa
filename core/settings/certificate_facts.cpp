#include "settings/certificate_facts.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/certificate_text.h"
#include "base/netstring.h"
#include "base/openssl_owned.h"
#include "base/utc_time.h"

namespace sluice {
namespace {

constexpr std::size_t kCertificatesMax = 10'000;
constexpr std::size_t kNamesMax = 100;
constexpr std::size_t kNameSizeMax = 255;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999, which is the format's last

// Other bytes than printable ones could write lines of their own into logs and terminals.
std::string printable(std::string_view bytes, char least = '!') {
  std::string text(bytes.substr(0, kNameSizeMax));
  std::replace_if(
      text.begin(), text.end(), [least](char c) { return c < least || c > '~'; }, '?');
  return text;
}

std::string printable_with_blanks(std::string_view bytes) {
  return printable(bytes, ' ');
}

std::string name_text(const GENERAL_NAME& name) {
  if (name.type != GEN_DNS && name.type != GEN_IPADD) return "";
  const ASN1_STRING* text = name.type == GEN_DNS ? name.d.dNSName : name.d.iPAddress;
  const unsigned char* bytes = ASN1_STRING_get0_data(text);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
  if (name.type == GEN_DNS) return printable({reinterpret_cast<const char*>(bytes), size});
  char address[INET6_ADDRSTRLEN] = "";
  if (size != sizeof(in_addr) && size != sizeof(in6_addr)) return "";
  ::inet_ntop(size == sizeof(in_addr) ? AF_INET : AF_INET6, bytes, address, sizeof(address));
  return address;
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> texts;
  const OpensslOwned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count && texts.size() < kNamesMax; ++i) {
    std::string text = name_text(*sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

std::optional<CertificateFacts> facts_of(const Certificate& certificate) {
  const OpensslOwned<BIO> pem(
      BIO_new_mem_buf(certificate.chain.data(), static_cast<int>(certificate.chain.size())));
  const OpensslOwned<X509> first(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
  std::tm end{};
  const bool known = first != nullptr && ASN1_TIME_to_tm(X509_get0_notAfter(first.get()), &end) == 1;
  std::optional<CertificateFacts> facts;
  if (known) {
    facts = CertificateFacts{certificate.files.chain, names_of(first.get()),
                             std::clamp<std::int64_t>(::timegm(&end), 0, kLastSecond),
                             fingerprint_of(certificate.chain), printable_with_blanks(issuer_of(*first))};
  }
  ERR_clear_error();
  return facts;
}

}  // namespace

std::vector<CertificateFacts> facts_of(const std::vector<Certificate>& certificates) {
  std::vector<CertificateFacts> all;
  for (const Certificate& certificate : certificates) {
    if (auto facts = facts_of(certificate)) all.push_back(std::move(*facts));
  }
  return all;
}

std::string encode_facts(const std::vector<CertificateFacts>& all) {
  NetstringWriter out;
  for (const CertificateFacts& facts : all) {
    out.put(facts.file)
        .put(static_cast<std::uint64_t>(facts.not_after_s))
        .put(facts.fingerprint)
        .put(facts.issuer);
    NetstringWriter names;
    for (const std::string& name : facts.names) names.put(name);
    out.put(names.take());
  }
  return out.take();
}

std::vector<CertificateFacts> decode_facts(std::string_view text) {
  std::vector<CertificateFacts> all;
  for (NetstringReader fields(text); !fields.at_end() && all.size() < kCertificatesMax;) {
    CertificateFacts facts;
    facts.file = fields.next();
    facts.not_after_s = static_cast<std::int64_t>(std::min<std::uint64_t>(fields.next_number(), kLastSecond));
    facts.fingerprint = printable(fields.next());
    facts.issuer = printable_with_blanks(fields.next());
    for (NetstringReader names(fields.next()); !names.at_end() && facts.names.size() < kNamesMax;)
      facts.names.push_back(printable(names.next()));
    all.push_back(std::move(facts));
  }
  return all;
}

std::string moment_text(std::int64_t seconds) {
  const UtcTime time = utc_time(seconds);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", time.year, time.month, time.day, time.hour,
                     time.minute, time.second);
}

std::optional<std::string> expiry_warning(const CertificateFacts& facts, std::int64_t now_s) {
  const std::int64_t left_s = facts.not_after_s - now_s;
  if (left_s > kWarnedDays * kDayS) return std::nullopt;
  const char* remedy = facts.file == kSelfSigned ? "reload the server, which makes another one" : "renew it";
  const std::string moment = moment_text(facts.not_after_s);
  if (left_s < 0) {
    return fmt::format("the certificate {} expired at {}, and clients refuse it: {}", facts.file, moment,
                       remedy);
  }
  const std::int64_t days = std::max<std::int64_t>(1, (left_s + kDayS - 1) / kDayS);
  return fmt::format("the certificate {} expires within {} day{}, at {}: {}", facts.file, days,
                     days == 1 ? "" : "s", moment, remedy);
}

}  // namespace sluice
