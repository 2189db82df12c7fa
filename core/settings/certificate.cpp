#include "settings/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/certificate_text.h"
#include "base/openssl_owned.h"
#include "base/small_file.h"
#include "base/utc_time.h"

namespace sluice {
namespace {

constexpr std::size_t kFileMax = 1024 * 1024;
constexpr long kSelfSignedDays = 90;
constexpr long kRenewedDays = 30;  // before the end

std::string_view written(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

bool extend(X509* certificate, int kind, const char* value) {
  const OpensslOwned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A random number of 64 bits, as browsers remember certificates by issuer and number.
bool number(X509* certificate) {
  BIGNUM* random = BN_new();
  const bool made = random != nullptr && BN_rand(random, 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                    BN_to_ASN1_INTEGER(random, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(random);
  return made;
}

// The extension's text: the names that a browser on this machine uses, and those of the site.
std::string alternative_names(const std::vector<std::string>& site) {
  std::string text = "DNS:localhost,IP:127.0.0.1,IP:::1";
  const auto add = [&text](const char* kind, std::string_view name) {
    constexpr std::string_view kBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*:";
    if (!name.empty() && name.find_first_not_of(kBytes) == std::string_view::npos)
      text.append(",").append(kind).append(name);
  };
  char host[256] = "";
  ::gethostname(host, sizeof(host) - 1);
  add("DNS:", host);
  for (const std::string_view name : site) {
    in_addr v4{};
    const bool is_v4 = ::inet_pton(AF_INET, std::string(name).c_str(), &v4) == 1;
    if (name.starts_with('[')) {
      add("IP:", name.substr(1, name.size() - 2));
    } else {
      add(is_v4 ? "IP:" : "DNS:", name);
    }
  }
  return text;
}

OpensslOwned<X509> sign(EVP_PKEY* key, const std::string& names) {
  OpensslOwned<X509> certificate(X509_new());
  if (certificate == nullptr) return nullptr;
  X509* x509 = certificate.get();
  X509_NAME* subject = X509_get_subject_name(x509);
  const auto* name = reinterpret_cast<const unsigned char*>("sluice, self-signed");
  const bool made = X509_set_version(x509, X509_VERSION_3) == 1 && number(x509) &&
                    X509_gmtime_adj(X509_getm_notBefore(x509), -3600) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(x509), kSelfSignedDays * kDayS) != nullptr &&
                    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(x509, subject) == 1 && X509_set_pubkey(x509, key) == 1 &&
                    extend(x509, NID_subject_alt_name, names.c_str()) &&
                    extend(x509, NID_basic_constraints, "critical,CA:FALSE") &&
                    extend(x509, NID_ext_key_usage, "serverAuth") && X509_sign(x509, key, EVP_sha256()) > 0;
  if (!made) certificate.reset();
  return certificate;
}

}  // namespace

Result<SecretBytes> read_secret_file(const std::string& path, const std::string& what,
                                     const std::string& remedy) {
  const std::string subject = what + " " + path;
  const auto file = SmallFile::open(path, subject, kFileMax);
  if (!file) return Unexpected(file.error());
  if (file->size() == 0) return fail(subject + " is empty: " + remedy);
  auto bytes = SecretBytes::make(file->size());
  if (!bytes) return bytes;
  const auto read = file->read(bytes->data());
  if (!read) return Unexpected(read.error());
  return bytes;
}

Result<Certificate> read_certificate(const CertificateFiles& files) {
  const std::string remedy = "name a file in PEM form";
  auto chain = read_secret_file(files.chain, "the certificate", remedy);
  if (!chain) return Unexpected(chain.error());
  auto key = read_secret_file(files.key, "the private key", remedy);
  if (!key) return Unexpected(key.error());
  return Certificate{files, std::string(chain->view()), std::make_shared<SecretBytes>(std::move(*key))};
}

Result<Certificate> make_self_signed(const std::vector<std::string>& names) {
  const auto failed = [] { return fail("a self-signed certificate cannot be made: OpenSSL has refused to"); };
  const OpensslOwned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (key == nullptr) return failed();
  const OpensslOwned<X509> certificate = sign(key.get(), alternative_names(names));
  const OpensslOwned<BIO> chain(BIO_new(BIO_s_mem()));
  const OpensslOwned<BIO> secret(BIO_new(BIO_s_secmem()));
  if (certificate == nullptr || chain == nullptr || secret == nullptr ||
      PEM_write_bio_X509(chain.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed();
  }
  const std::string_view pem = written(secret.get());
  auto bytes = SecretBytes::make(pem.size());
  if (!bytes) return Unexpected(bytes.error());
  pem.copy(bytes->data(), pem.size());
  return Certificate{{std::string(kSelfSigned), ""},
                     std::string(written(chain.get())),
                     std::make_shared<SecretBytes>(std::move(*bytes)),
                     std::time(nullptr) + (kSelfSignedDays - kRenewedDays) * kDayS,
                     names};
}

std::string fingerprint_of(const std::string& chain) {
  const OpensslOwned<BIO> bytes(BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())));
  const OpensslOwned<X509> certificate(PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr));
  return certificate == nullptr ? "" : fingerprint_of(*certificate);
}

}  // namespace sluice
