#include "transport/tls_context.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/monotonic_clock.h"
#include "base/out_of_memory.h"

namespace sluice {
namespace {

// As Mozilla's intermediate configuration, without the exchanges that a server has to make parameters for.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr unsigned char kProtocols[] = "\x08http/1.1";  // RFC 7301 section 3.1
// Between RSA keys of 2048 bits (0.25 ms) and of 3072.
constexpr std::uint64_t kSlowNs = 500'000;

struct FreeParsed {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
template <typename T>
using Parsed = std::unique_ptr<T, FreeParsed>;

Parsed<BIO> reader(std::string_view bytes) {
  return Parsed<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
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

Result<Parsed<EVP_PKEY>> parse_key(const Certificate& certificate) {
  bool encrypted = false;
  const Parsed<BIO> pem = reader(certificate.key->view());
  Parsed<EVP_PKEY> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, refuse_passphrase, &encrypted));
  const std::string subject = "the private key " + certificate.files.key;
  if (encrypted) {
    ERR_clear_error();
    return fail(subject + " is encrypted: write it without a passphrase, with: openssl pkey -in " +
                certificate.files.key + " -out NEW");
  }
  if (key == nullptr) return fail(subject + " is not a private key in PEM form: " + why());
  return key;
}

// The certificate, then those that lead from it to a root.
Result<Parsed<STACK_OF(X509)>> parse_chain(const Certificate& certificate) {
  Parsed<STACK_OF(X509)> chain(sk_X509_new_null());
  const Parsed<BIO> pem = reader(certificate.chain);
  while (X509* next = PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr)) sk_X509_push(chain.get(), next);
  if (sk_X509_num(chain.get()) == 0) {
    return fail("the certificate " + certificate.files.chain + " is not a certificate in PEM form: " + why());
  }
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
    return fail("the certificate " + certificate.files.chain + " is broken behind its first part: " + why());
  }
  ERR_clear_error();
  return chain;
}

// The fastest one, since the first one prepares things.
std::uint64_t signature_ns(EVP_PKEY* key) {
  const unsigned char text[32] = {};
  std::uint64_t least = ~std::uint64_t{0};
  for (int tried = 0; tried < 3; ++tried) {
    const Parsed<EVP_MD_CTX> digest(EVP_MD_CTX_new());
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

// The name that a client asks for, in lower case; empty when it asks for none (RFC 6066 section 3).
std::string asked_name(SSL* ssl) {
  const unsigned char* list = nullptr;
  std::size_t size = 0;
  constexpr std::size_t kHeadSize = 5;  // size of the list, kind, size of the name
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &list, &size) != 1 || size < kHeadSize) return "";
  const std::size_t name_size = list[3] * std::size_t{256} + list[4];
  if (list[2] != TLSEXT_NAMETYPE_host_name || name_size > size - kHeadSize) return "";
  std::string name(reinterpret_cast<const char*>(list) + kHeadSize, name_size);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

// A session is resumed only under the name that it was made for: OpenSSL compares this text.
int begin_handshake(SSL* ssl, int*, void*) {
  std::string name;
  if (!unless_out_of_memory("memory is used up: a TLS connection is closed", [&] { name = asked_name(ssl); }))
    return SSL_CLIENT_HELLO_ERROR;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  static_assert(SSL_MAX_SID_CTX_LENGTH >= 32);
  const bool bound = EVP_Digest(name.data(), name.size(), digest, &size, EVP_sha256(), nullptr) == 1 &&
                     SSL_set_session_id_context(ssl, digest, size) == 1;
  return bound ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int accept_name(SSL* ssl, int*, void*) {
  return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != nullptr ? SSL_TLSEXT_ERR_OK
                                                                       : SSL_TLSEXT_ERR_NOACK;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, chosen_size, kProtocols, sizeof(kProtocols) - 1, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool prepare(const TicketKey& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* digest,
             bool seals) {
  char sha256[] = "SHA256";
  const OSSL_PARAM digest_is[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                                  OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, seals ? 1 : 0) == 1 &&
         EVP_MAC_init(digest, key.digest.data(), key.digest.size(), digest_is) == 1;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3). 2: the ticket opens, and the client gets a fresh one.
int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* digest, int seals) {
  const auto* context = static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (seals == 1) {
    const TicketKey key = context->ticket_keys().current();
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::copy(key.name.begin(), key.name.end(), name);
    return prepare(key, iv, cipher, digest, true) ? 1 : -1;
  }
  const auto found = context->ticket_keys().find(std::span<const unsigned char, 16>(name, 16));
  if (!found) return 0;
  if (!prepare(found->key, iv, cipher, digest, false)) return -1;
  return found->is_current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::create(const std::vector<Certificate>& certificates,
                                                       TlsVersion min_version,
                                                       std::shared_ptr<const TicketKeys> ticket_keys) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(ticket_keys)));
  context->context_.reset(SSL_CTX_new(TLS_server_method()));
  if (context->context_ == nullptr || !context->negotiate(min_version)) {
    return fail("TLS cannot be used: OpenSSL says " + why());
  }
  for (const Certificate& certificate : certificates) {
    const auto added = context->add(certificate);
    if (!added) return Unexpected(added.error());
  }
  return context;
}

bool TlsContext::negotiate(TlsVersion min_version) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(
      context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(TicketKeys::kLifetimeMs / 1000));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_client_hello_cb(context, begin_handshake, nullptr);
  // What SSL_CTX_set_tlsext_servername_callback is short for.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(accept_name));
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key);
  const int least = min_version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  return SSL_CTX_set_min_proto_version(context, least) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 && SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

Result<void> TlsContext::add(const Certificate& certificate) {
  auto chain = parse_chain(certificate);
  if (!chain) return Unexpected(chain.error());
  const auto key = parse_key(certificate);
  if (!key) return Unexpected(key.error());
  const Parsed<X509> first(sk_X509_shift(chain->get()));
  if (X509_check_private_key(first.get(), key->get()) != 1) {
    ERR_clear_error();
    return fail("the private key " + certificate.files.key + " does not belong to the certificate " +
                certificate.files.chain + ": name the key that the certificate was made for");
  }
  if (SSL_CTX_use_cert_and_key(context_.get(), first.get(), key->get(), chain->get(), 0) != 1) {
    return fail("the certificate " + certificate.files.chain + " cannot be used: " + why());
  }
  slow_key_ = slow_key_ || signature_ns(key->get()) > kSlowNs;
  return {};
}

}  // namespace sluice
