#include "transport/tls_identities.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fmt/core.h>
#include <algorithm>
#include <string_view>

#include "base/monotonic_clock.h"
#include "base/openssl_owned.h"
#include "transport/tls_negotiation.h"

namespace sluice {
namespace {

// Between RSA keys of 2048 bits (0.25 ms) and of 3072.
constexpr std::uint64_t kSlowNs = 500'000;

OpensslOwned<BIO> reader(std::string_view bytes) {
  return OpensslOwned<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string why() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "it cannot be read";
}

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<OpensslOwned<EVP_PKEY>> parse_key(const Certificate& certificate) {
  bool encrypted = false;
  const OpensslOwned<BIO> pem = reader(certificate.key->view());
  OpensslOwned<EVP_PKEY> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, refuse_passphrase, &encrypted));
  const std::string subject = "the private key " + certificate.files.key;
  if (encrypted) {
    ERR_clear_error();
    return fail(subject + " is encrypted: write it without a passphrase, with: openssl pkey -in " +
                certificate.files.key + " -out NEW");
  }
  if (key == nullptr) return fail(subject + " is not a private key in PEM form: " + why());
  return key;
}

// A certificate, then those that lead from it to a root; or certificates of several who sign. `what` they are:
// "certificate a.pem".
Result<OpensslOwned<STACK_OF(X509)>> parse_certificates(std::string_view pem, const std::string& what) {
  OpensslOwned<STACK_OF(X509)> chain(sk_X509_new_null());
  const OpensslOwned<BIO> bytes = reader(pem);
  while (X509* next = PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr))
    sk_X509_push(chain.get(), next);
  if (sk_X509_num(chain.get()) == 0) return fail("the " + what + " is not a certificate in PEM form: " + why());
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
    return fail("the " + what + " is broken behind its first part: " + why());
  ERR_clear_error();
  return chain;
}

// The fastest one, since the first one prepares things.
std::uint64_t signature_ns(EVP_PKEY* key) {
  const unsigned char text[32] = {};
  std::uint64_t least = ~std::uint64_t{0};
  for (int tried = 0; tried < 3; ++tried) {
    const OpensslOwned<EVP_MD_CTX> digest(EVP_MD_CTX_new());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), 0);
    std::size_t size = signature.size();
    const bool hashes =
        EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 && EVP_PKEY_get_base_id(key) != EVP_PKEY_ED448;
    const std::uint64_t began_ns = monotonic_ns();
    if (EVP_DigestSignInit(digest.get(), nullptr, hashes ? EVP_sha256() : nullptr, nullptr, key) != 1 ||
        EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, text,
                       sizeof(text)) != 1) {
      break;
    }
    least = std::min(least, monotonic_ns() - began_ns);
  }
  ERR_clear_error();
  return least;
}

// The names under which the client's certificate is looked for, and what it is worth.
std::string demand_of(const SitePlan& site) {
  switch (site.settings.client_certificates) {
    case ClientCertificates::asked:
      return "asked " + site.client_ca;
    case ClientCertificates::required:
      return "required " + site.client_ca;
    case ClientCertificates::unsaid:
    case ClientCertificates::off:
      break;
  }
  return "";
}

Result<void> ask_clients(SSL_CTX* context, const SitePlan& site) {
  const bool required = site.settings.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(context, required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER,
                     nullptr);
  const auto chain = parse_certificates(site.client_ca, "client-ca " + site.settings.client_ca);
  if (!chain) return Unexpected(chain.error());
  for (int i = 0; i < sk_X509_num(chain->get()); ++i) {
    X509* certificate = sk_X509_value(chain->get(), i);
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) != 1 ||
        SSL_CTX_add_client_CA(context, certificate) != 1) {
      return fail("the client-ca " + site.settings.client_ca + " cannot be used: " + why());
    }
  }
  return {};
}

bool is_for(X509* certificate, const std::string& name) {
  constexpr unsigned kFlags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  if (name.starts_with('[')) {
    return X509_check_ip_asc(certificate, name.substr(1, name.size() - 2).c_str(), kFlags) == 1;
  }
  // A certificate is for a wildcard if it is for any label in the wildcard's place.
  const std::string asked = name.starts_with('*') ? "a" + name.substr(1) : name;
  return X509_check_host(certificate, asked.c_str(), asked.size(), kFlags, nullptr) == 1 ||
         X509_check_ip_asc(certificate, asked.c_str(), kFlags) == 1;
}

}  // namespace

// A certificate, its key, and those that lead from it to a root.
struct TlsIdentities::Parsed {
  OpensslOwned<X509> first;
  OpensslOwned<STACK_OF(X509)> rest;
  OpensslOwned<EVP_PKEY> key;
  bool is_slow = false;
};

void TlsIdentity::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsIdentities::TlsIdentities(const ServingPlan& plan) : plan_(plan) {}

TlsIdentities::~TlsIdentities() = default;

Result<const TlsIdentities::Parsed*> TlsIdentities::parse(std::size_t index) {
  if (const auto known = parsed_.find(index); known != parsed_.end()) return known->second.get();
  const Certificate& certificate = plan_.certificates[index];
  auto chain = parse_certificates(certificate.chain, "certificate " + certificate.files.chain);
  if (!chain) return Unexpected(chain.error());
  auto key = parse_key(certificate);
  if (!key) return Unexpected(key.error());
  auto parsed = std::make_unique<Parsed>();
  parsed->first.reset(sk_X509_shift(chain->get()));
  parsed->rest = std::move(*chain);
  parsed->key = std::move(*key);
  if (X509_check_private_key(parsed->first.get(), parsed->key.get()) != 1) {
    ERR_clear_error();
    return fail("the private key " + certificate.files.key + " does not belong to the certificate " +
                certificate.files.chain + ": name the key that the certificate was made for");
  }
  parsed->is_slow = signature_ns(parsed->key.get()) > kSlowNs;
  return parsed_.emplace(index, std::move(parsed)).first->second.get();
}

Result<std::vector<std::size_t>> TlsIdentities::fitting(const SitePlan& site, const std::string& name) {
  std::vector<std::size_t> fitting;
  if (site.certificates.size() < 2 || name.empty()) return site.certificates;
  for (const std::size_t index : site.certificates) {
    const auto parsed = parse(index);
    if (!parsed) return Unexpected(parsed.error());
    if (is_for((*parsed)->first.get(), name)) fitting.push_back(index);
  }
  return fitting.empty() ? site.certificates : fitting;
}

Result<const TlsIdentity*> TlsIdentities::of(const SitePlan& site, const std::string& name) {
  auto certificates = fitting(site, name);
  if (!certificates) return Unexpected(certificates.error());
  const Key key(*certificates, demand_of(site), site.settings.protocols.http2);
  if (const auto known = made_.find(key); known != made_.end()) return known->second.get();
  auto made = make(site, key);
  if (!made) return Unexpected(made.error());
  return made_.emplace(key, std::move(*made)).first->second.get();
}

Result<std::unique_ptr<TlsIdentity>> TlsIdentities::make(const SitePlan& site, const Key& identifying) {
  const auto& [certificates, demand, speaks_http2] = identifying;
  auto identity = std::make_unique<TlsIdentity>();
  identity->speaks_http2 = speaks_http2;
  identity->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = identity->context.get();
  if (context == nullptr) return fail("TLS cannot be used: OpenSSL says " + why());
  const auto negotiates = negotiate_as_server(context, plan_.settings);
  if (!negotiates) return Unexpected(negotiates.error());
  std::string shown = demand;
  for (const std::size_t index : certificates) {
    const auto parsed = parse(index);
    if (!parsed) return Unexpected(parsed.error());
    const auto& [first, rest, key, is_slow] = **parsed;
    // The first one of a kind of key stays.
    if (SSL_CTX_use_cert_and_key(context, first.get(), key.get(), rest.get(), 0) != 1 &&
        ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_NOT_REPLACING_CERTIFICATE) {
      return fail("the certificate " + plan_.certificates[index].files.chain + " cannot be used: " + why());
    }
    ERR_clear_error();
    identity->is_slow = identity->is_slow || is_slow;
    shown += plan_.certificates[index].chain;
  }
  if (!demand.empty()) {
    const auto asks = ask_clients(context, site);
    if (!asks) return Unexpected(asks.error());
  }
  unsigned size = 0;
  if (EVP_Digest(shown.data(), shown.size(), identity->digest.data(), &size, EVP_sha256(), nullptr) != 1)
    return fail("TLS cannot be used: OpenSSL says " + why());
  return identity;
}

}  // namespace sluice
