#include "transport/tls_negotiation.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <fmt/core.h>
#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/out_of_memory.h"
#include "base/text.h"
#include "transport/kernel_tls.h"
#include "transport/tls_identity.h"

namespace sluice {
namespace {

// As Mozilla's intermediate configuration, without the exchanges that a server has to make parameters for.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// The first one costs least, and its strength is enough.
constexpr char kSuites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kGroups[] = "X25519:P-256:P-384";
// RFC 7301 section 3.1, in the order of preference.
constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
constexpr unsigned kHttp2Size = 3;

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

TlsHandshaker& handshaker_of(const SSL* ssl) {
  return *static_cast<TlsHandshaker*>(SSL_get_app_data(ssl));
}

// A session is resumed only under the name that it was made for, and the same identity: OpenSSL compares this
// digest.
bool bind_session(SSL* ssl, const std::string& name, const TlsIdentity& identity) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  static_assert(SSL_MAX_SID_CTX_LENGTH >= 32);
  std::string bound(identity.digest.begin(), identity.digest.end());
  bound += name;
  return EVP_Digest(bound.data(), bound.size(), digest, &size, EVP_sha256(), nullptr) == 1 &&
         SSL_set_session_id_context(ssl, digest, size) == 1;
}

int begin_handshake(SSL* ssl, int* alert, void*) {
  int result = SSL_CLIENT_HELLO_ERROR;
  unless_out_of_memory("memory is used up: a TLS connection is closed", [&] {
    const std::string name = asked_name(ssl);
    TlsHandshaker& handshaker = handshaker_of(ssl);
    const TlsIdentity* identity = handshaker.identity_for(name);
    if (identity == nullptr) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      handshaker.refuse_name(name);
      return;
    }
    if (handshaker.take_identity(*identity) && bind_session(ssl, name, *identity))
      result = SSL_CLIENT_HELLO_SUCCESS;
  });
  return result;
}

int accept_name(SSL* ssl, int*, void*) {
  return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != nullptr ? SSL_TLSEXT_ERR_OK
                                                                       : SSL_TLSEXT_ERR_NOACK;
}

int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const unsigned skipped = handshaker_of(ssl).speaks_http2() ? 0 : kHttp2Size;
  const int result = SSL_select_next_proto(&found, chosen_size, kProtocols + skipped,
                                           sizeof(kProtocols) - 1 - skipped, offered, offered_size);
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
  const TicketKeys& keys = handshaker_of(ssl).ticket_keys();
  if (seals == 1) {
    const TicketKey key = keys.current();
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    std::copy(key.name.begin(), key.name.end(), name);
    return prepare(key, iv, cipher, digest, true) ? 1 : -1;
  }
  const auto found = keys.find(std::span<const unsigned char, 16>(name, 16));
  if (!found) return 0;
  if (!prepare(found->key, iv, cipher, digest, false)) return -1;
  return found->is_current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

// Those of TLS 1.3 have names that begin with TLS_, and are set by another function. OpenSSL passes over names
// that it does not know, so each plain name is first tried alone.
bool set_ciphers(SSL_CTX* context, std::string_view list) {
  std::string older;
  std::string newer;
  while (!list.empty()) {
    const std::string_view cipher = take_part(list, ":");
    const bool is_name = !cipher.empty() && cipher.front() >= 'A' && cipher.front() <= 'Z';
    const std::string alone(cipher);
    const bool is_newer = cipher.starts_with("TLS_");
    if (is_name && (is_newer ? SSL_CTX_set_ciphersuites(context, alone.c_str())
                             : SSL_CTX_set_cipher_list(context, alone.c_str())) != 1)
      return false;
    std::string& suites = is_newer ? newer : older;
    suites.append(suites.empty() ? "" : ":").append(cipher);
  }
  return (older.empty() || SSL_CTX_set_cipher_list(context, older.c_str()) == 1) &&
         (newer.empty() || SSL_CTX_set_ciphersuites(context, newer.c_str()) == 1);
}

}  // namespace

Result<void> negotiate_as_server(ssl_ctx_st* context, const Settings& settings) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(TicketKeys::kLifetimeMs / 1000));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_client_hello_cb(context, begin_handshake, nullptr);
  // What SSL_CTX_set_tlsext_servername_callback is short for.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(accept_name));
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key);
  if (settings.kernel_tls) allow_noting(context);
  const int least = settings.tls_min == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  const std::string& groups = settings.tls_groups;
  Result<void> negotiates;
  if (SSL_CTX_set_min_proto_version(context, least) != 1 || !set_ciphers(context, kCiphers) ||
      !set_ciphers(context, kSuites))
    negotiates = fail("TLS cannot be used: OpenSSL refuses its settings");
  if (!set_ciphers(context, settings.tls_ciphers)) {
    negotiates =
        fail(fmt::format("tls-ciphers '{}' has a name that OpenSSL does not know: `openssl ciphers` lists them",
                         settings.tls_ciphers));
  }
  if (SSL_CTX_set1_groups_list(context, groups.empty() ? kGroups : groups.c_str()) != 1) {
    negotiates = fail(fmt::format("tls-groups '{}' has a name that OpenSSL does not know: write it as in {}",
                                  groups, kGroups));
  }
  ERR_clear_error();
  return negotiates;
}

}  // namespace sluice
