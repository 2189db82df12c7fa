#include "transport/kernel_tls.h"

#include <linux/tcp.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/text.h"

namespace sluice {
namespace {

// A connection's slot for its key.
int slot() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

SendKey* key_of(const SSL* ssl) {
  return static_cast<SendKey*>(SSL_get_ex_data(ssl, slot()));
}

// A line of the SSLKEYLOGFILE format: a label, the client's random bytes and a secret, for each secret of the
// handshake. OpenSSL begins to seal with this one when it tells it.
void note_secret(const SSL* ssl, const char* line) {
  std::string_view rest = line;
  SendKey* key = key_of(ssl);
  if (key == nullptr || take_part(rest, " ") != "SERVER_TRAFFIC_SECRET_0") return;
  take_part(rest, " ");
  key->forget();
  if (OPENSSL_hexstr2buf_ex(key->secret.data(), key->secret.size(), &key->size, rest.data(), '\0') != 1)
    key->forget();
}

// SSL_CTX_set_msg_callback(3): called for the head of each record.
void count_record(int sent, int, int kind, const void*, std::size_t, SSL* ssl, void*) {
  SendKey* key = key_of(ssl);
  if (key != nullptr && sent == 1 && kind == SSL3_RT_HEADER) ++key->records;
}

// HKDF-Expand-Label with an empty context.
bool expand(const SendKey& key, const EVP_MD* digest, std::string_view label, unsigned char* to,
            std::size_t size) {
  unsigned char info[32] = {static_cast<unsigned char>(size >> 8), static_cast<unsigned char>(size)};
  std::size_t used = 2;
  const std::string_view prefix = "tls13 ";
  info[used++] = static_cast<unsigned char>(prefix.size() + label.size());
  used += prefix.copy(reinterpret_cast<char*>(info) + used, prefix.size());
  used += label.copy(reinterpret_cast<char*>(info) + used, label.size());
  info[used++] = 0;
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), EVP_PKEY_CTX_free);
  return context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_hkdf_mode(context.get(), EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) == 1 &&
         EVP_PKEY_CTX_set_hkdf_md(context.get(), digest) == 1 &&
         EVP_PKEY_CTX_set1_hkdf_key(context.get(), key.secret.data(), static_cast<int>(key.size)) == 1 &&
         EVP_PKEY_CTX_add1_hkdf_info(context.get(), info, static_cast<int>(used)) == 1 &&
         EVP_PKEY_derive(context.get(), to, &size) == 1;
}

// Hands the key over, in the form that the kernel has for this cipher. The nonce's first bytes are called its
// salt there.
template <typename Info>
bool hand_over(int socket, const EVP_MD* digest, const SendKey& key, unsigned short cipher) {
  Info info{};
  info.info.version = TLS_1_3_VERSION;
  info.info.cipher_type = cipher;
  unsigned char nonce[12] = {};
  constexpr std::size_t kSalt = sizeof(nonce) - sizeof(info.iv);
  bool done =
      expand(key, digest, "key", info.key, sizeof(info.key)) && expand(key, digest, "iv", nonce, sizeof(nonce));
  if constexpr (kSalt > 0) std::memcpy(info.salt, nonce, kSalt);
  std::memcpy(info.iv, nonce + kSalt, sizeof(info.iv));
  for (std::size_t i = 0; i < sizeof(info.rec_seq); ++i)
    info.rec_seq[i] = static_cast<unsigned char>(key.records >> (8 * (sizeof(info.rec_seq) - 1 - i)));
  done = done && ::setsockopt(socket, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 &&
         ::setsockopt(socket, SOL_TLS, TLS_TX, &info, sizeof(info)) == 0;
  ::explicit_bzero(&info, sizeof(info));
  ::explicit_bzero(nonce, sizeof(nonce));
  return done;
}

}  // namespace

void SendKey::forget() {
  ::explicit_bzero(secret.data(), secret.size());
  size = 0;
  records = 0;
}

void allow_noting(ssl_ctx_st* context) {
  SSL_CTX_set_keylog_callback(context, note_secret);
  SSL_CTX_set_msg_callback(context, count_record);
}

void note_send_key(ssl_st* ssl, SendKey& key) {
  SSL_set_ex_data(ssl, slot(), &key);
}

void forget_send_key(ssl_st* ssl) {
  SSL_set_ex_data(ssl, slot(), nullptr);
}

bool start_kernel_tls(int socket, ssl_st* ssl, const SendKey& key) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  // The kernel makes records of up to 16 KiB, which some clients ask a server not to do (RFC 6066 section 4).
  if (key.size == 0 || cipher == nullptr || SSL_version(ssl) != TLS1_3_VERSION ||
      SSL_SESSION_get_max_fragment_length(SSL_get0_session(ssl)) != TLSEXT_max_fragment_length_DISABLED)
    return false;
  const EVP_MD* digest = SSL_CIPHER_get_handshake_digest(cipher);
  switch (SSL_CIPHER_get_protocol_id(cipher)) {
    case TLS1_3_CK_AES_128_GCM_SHA256 & 0xffff:
      return hand_over<tls12_crypto_info_aes_gcm_128>(socket, digest, key, TLS_CIPHER_AES_GCM_128);
    case TLS1_3_CK_AES_256_GCM_SHA384 & 0xffff:
      return hand_over<tls12_crypto_info_aes_gcm_256>(socket, digest, key, TLS_CIPHER_AES_GCM_256);
    case TLS1_3_CK_CHACHA20_POLY1305_SHA256 & 0xffff:
      return hand_over<tls12_crypto_info_chacha20_poly1305>(socket, digest, key, TLS_CIPHER_CHACHA20_POLY1305);
    default:
      return false;
  }
}

bool end_kernel_tls(int socket) {
  unsigned char alert[] = {SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY};
  iovec piece{alert, sizeof(alert)};
  alignas(cmsghdr) char control[CMSG_SPACE(1)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_TLS;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(1);
  *CMSG_DATA(header) = SSL3_RT_ALERT;
  ssize_t sent = 0;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

}  // namespace sluice
