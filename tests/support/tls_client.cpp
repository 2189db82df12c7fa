#include "support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice::test {
namespace {

int connect_to(const Endpoint& endpoint) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(socket);
    throw std::runtime_error("there is no connection");
  }
  return socket;
}

std::string openssl_error(const std::string& what) {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return what + ": " + (reason != nullptr ? reason : "the connection is broken");
}

}  // namespace

void TlsClient::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsClient::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsClient::TlsClient(const Endpoint& endpoint, const TlsOptions& options)
    : TlsClient(connect_to(endpoint), options) {}

TlsClient::TlsClient(int socket, const TlsOptions& options)
    : socket_(socket), context_(SSL_CTX_new(TLS_client_method())) {
  try {
    shake_hands(options);
  } catch (...) {
    ::close(socket_);
    throw;
  }
}

TlsClient::~TlsClient() {
  // Otherwise OpenSSL takes the session for broken.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ::close(socket_);
}

void TlsClient::shake_hands(const TlsOptions& options) {
  const timeval limit{options.timeout_ms / 1000, (options.timeout_ms % 1000) * 1000};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  SSL_CTX_set_app_data(context_.get(), this);
  // Tickets of TLS 1.3 come after the handshake.
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    self->session_.reset(session, SSL_SESSION_free);
    return 1;
  });
  ssl_.reset(SSL_new(context_.get()));
  if (options.version != 0) {
    SSL_set_min_proto_version(ssl_.get(), options.version);
    SSL_set_max_proto_version(ssl_.get(), options.version);
  }
  if (!options.suites.empty()) SSL_set_ciphersuites(ssl_.get(), options.suites.c_str());
  if (!options.name.empty()) {
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(options.name.c_str()));
  }
  if (!options.protocols.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
  }
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  SSL_set_fd(ssl_.get(), socket_);
  ERR_clear_error();
  if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error(openssl_error("the handshake has failed"));
}

std::string TlsClient::fingerprint() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return "";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof(byte), i == 0 ? "%02X" : ":%02X", digest[i]);
    text += byte;
  }
  return text;
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

int TlsClient::version() const {
  return SSL_version(ssl_.get());
}

bool TlsClient::was_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::shared_ptr<ssl_session_st> TlsClient::session() const {
  // OpenSSL calls nobody for a ticket that comes while a session of TLS 1.2 is resumed.
  if (version() == TLS1_2_VERSION) return {SSL_get1_session(ssl_.get()), SSL_SESSION_free};
  return session_;
}

void TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
    throw std::runtime_error(openssl_error("nothing can be sent"));
  }
}

void TlsClient::update_keys(int times, bool asks) {
  for (int i = 0; i < times; ++i) {
    ERR_clear_error();
    if (SSL_key_update(ssl_.get(), asks ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
        SSL_do_handshake(ssl_.get()) != 1) {
      throw std::runtime_error(openssl_error("the keys cannot be changed"));
    }
  }
}

std::string TlsClient::read(std::size_t size) {
  std::string all(size, 0);
  std::size_t done = 0;
  while (done < size) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), all.data() + done, size - done, &got);
    done += got;
    if (result == 1) continue;
    ended_in_order_ = SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
    break;
  }
  all.resize(done);
  return all;
}

std::string TlsClient::read_available() {
  std::string some(16 * 1024, 0);
  std::size_t got = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), some.data(), some.size(), &got);
  if (result != 1) ended_in_order_ = SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
  some.resize(got);
  return some;
}

std::string TlsClient::read_all() {
  std::string all;
  for (;;) {
    const std::string part = read(64 * 1024);
    all += part;
    if (part.size() < 64 * 1024) return all;
  }
}

std::string TlsClient::get(std::string_view target) {
  send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return read_all();
}

}  // namespace sluice::test
