#include "transport/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/certificate_text.h"
#include "base/out_of_memory.h"
#include "transport/socket_calls.h"
#include "transport/tls_context.h"

namespace sluice {
namespace {

// One record may come in pieces; more without a byte of content is a flood, say of key updates, each of which
// costs more than a small request.
constexpr std::size_t kEmptyBytesMax = 20 * 1024;

}  // namespace

// OpenSSL's way to the socket: it reads what was fed, then the socket itself, and writes into the output of the
// call under way.
struct TlsCallbacks {
  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* buffer, int size) {
    TlsStream& tls = stream(bio);
    BIO_clear_retry_flags(bio);
    const auto room = static_cast<std::size_t>(std::max(size, 0));
    if (tls.fed_used_ < tls.fed_.size()) {
      const std::size_t part = tls.fed_.copy(buffer, room, tls.fed_used_);
      tls.fed_used_ += part;
      // What may be HTTP in clear text is kept for `take_fed`. A record of TLS does not begin with a letter.
      const bool may_be_clear = tls.identity_ == nullptr && tls.fed_.front() >= 'A' && tls.fed_.front() <= 'Z';
      if (tls.fed_used_ == tls.fed_.size() && !may_be_clear) {
        std::string().swap(tls.fed_);
        tls.fed_used_ = 0;
      }
      return static_cast<int>(part);
    }
    if (!tls.established_ || tls.drained_) return later(bio);
    if (tls.empty_bytes_ > kEmptyBytesMax) return -1;
    for (;;) {
      const ssize_t got = socket_calls.receive(tls.socket_, buffer, room);
      if (got > 0) {
        tls.drained_ = static_cast<std::size_t>(got) < room;
        tls.empty_bytes_ += static_cast<std::size_t>(got);
      }
      if (got == 0) tls.ended_ = true;
      if (got >= 0) return static_cast<int>(got);
      const bool starved = errno == ENOBUFS || errno == ENOMEM;
      tls.starved_ = tls.starved_ || starved;
      if (starved || errno == EAGAIN || errno == EWOULDBLOCK) return later(bio);
      if (errno != EINTR) return -1;
    }
  }

  static int later(BIO* bio) {
    BIO_set_retry_read(bio);
    return -1;
  }

  static int write(BIO* bio, const char* bytes, int size) {
    // An exception must not pass through OpenSSL. Without its records the connection is broken.
    const bool kept = unless_out_of_memory("memory is used up: a TLS connection is closed", [&] {
      stream(bio).out_->append(bytes, static_cast<std::size_t>(size));
    });
    return kept ? size : -1;
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return stream(bio).ended_ ? 1 : 0;
    return 0;
  }

  // Called when a certificate is needed, which it is not when a session is resumed. -1 suspends the handshake.
  static int may_sign(SSL*, void* tls) { return static_cast<TlsStream*>(tls)->on_thread_ ? 1 : -1; }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice");
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

void TlsStream::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

std::unique_ptr<TlsStream> TlsStream::make(TlsContext& context, int socket) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context, socket));
  stream->ssl_.reset(SSL_new(context.nameless().context.get()));
  BIO* bio = BIO_new(TlsCallbacks::method());
  if (stream->ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    return nullptr;
  }
  BIO_set_data(bio, stream.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(stream->ssl_.get(), bio, bio);
  if (context.uses_kernel()) {
    stream->send_key_ = std::make_unique<SendKey>();
    note_send_key(stream->ssl_.get(), *stream->send_key_);
  }
  TlsHandshaker* handshaker = stream.get();
  SSL_set_app_data(stream->ssl_.get(), handshaker);
  SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

TlsStream::~TlsStream() = default;

const TlsIdentity* TlsStream::identity_for(const std::string& name) const {
  return name.empty() ? &context_.nameless() : context_.find(name);
}

const TicketKeys& TlsStream::ticket_keys() const {
  return context_.ticket_keys();
}

void TlsStream::refuse_name(const std::string& name) {
  failure_ = "nobody here has the name that it asks for";
  constexpr std::size_t kNameMax = 255;  // of a host; a client may send more
  refused_name_ = name.substr(0, kNameMax);
}

std::string_view TlsStream::asked_name() const {
  if (!refused_name_.empty()) return refused_name_;
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

bool TlsStream::take_identity(const TlsIdentity& identity) {
  SSL* ssl = ssl_.get();
  SSL_CTX* context = identity.context.get();
  identity_ = &identity;
  if (SSL_get_SSL_CTX(ssl) != context) {
    if (SSL_set_SSL_CTX(ssl, context) == nullptr) return false;
    // The function leaves these as they were.
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), nullptr);
  }
  if (identity.is_slow) SSL_set_cert_cb(ssl, TlsCallbacks::may_sign, this);
  return true;
}

TlsStream::Handshake TlsStream::step(std::string& out, bool on_thread) {
  out_ = &out;
  on_thread_ = on_thread;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1 && peer_is_past_its_end()) {
    failure_ = "the client's certificate has expired";
    return Handshake::failed;
  }
  if (result == 1) {
    established_ = true;
    return Handshake::done;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Handshake::needs_bytes;
    case SSL_ERROR_WANT_X509_LOOKUP:
      return Handshake::needs_thread;
    default:
      break;
  }
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  if (failure_.empty()) failure_ = reason != nullptr ? reason : "the connection is broken";
  ERR_clear_error();
  return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST
             ? Handshake::plain_http
             : Handshake::failed;
}

// A resumed session brings the certificate that the client has shown before.
bool TlsStream::peer_is_past_its_end() const {
  if (!was_resumed()) return false;
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

void TlsStream::describe(PeerFacts& facts) const {
  facts.peer.tls_version = SSL_version(ssl_.get()) == TLS1_3_VERSION ? 13 : 12;
  facts.server_name = asked_name();
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return;
  facts.certificate_subject = subject_of(*certificate);
  facts.certificate_fingerprint = fingerprint_of(*certificate);
}

TlsFacts TlsStream::facts() const {
  TlsFacts facts;
  facts.version = static_cast<std::uint16_t>(SSL_version(ssl_.get()));
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get()))
    facts.cipher_suite = SSL_CIPHER_get_protocol_id(cipher);
  facts.resumed = was_resumed();
  facts.protocol = agreed_protocol();
  facts.server_name = asked_name();
  return facts;
}

std::string_view TlsStream::agreed_protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool TlsStream::has_fed() const {
  return !fed_.empty() || SSL_has_pending(ssl_.get()) == 1;
}

bool TlsStream::was_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

bool TlsStream::move_to_kernel(bool all_sent) {
  if (send_key_ == nullptr) return false;
  const bool moved = all_sent && !has_agreed_on_http2() && start_kernel_tls(socket_, ssl_.get(), *send_key_);
  forget_send_key(ssl_.get());
  send_key_.reset();
  return moved;
}

bool TlsStream::has_agreed_on_http2() const {
  return agreed_protocol() == "h2";
}

Moved TlsStream::receive(char* buffer, std::size_t size, std::string& out) {
  out_ = &out;
  drained_ = std::exchange(fed_all_, false) && has_fed();
  Moved moved;
  while (moved.size < size) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), buffer + moved.size, size - moved.size, &got);
    moved.size += got;
    if (got > 0) empty_bytes_ = 0;
    if (result == 1) {
      // Another call would allocate a buffer only to find that nothing is left.
      if (drained_ && !has_fed()) break;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ && moved.size == 0) moved.status = Io::full;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN) return {moved.size, break_off()};
    break;
  }
  return moved;
}

bool TlsStream::peer_has_ended() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsStream::owes_key_update() const {
  return SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE;
}

bool TlsStream::encrypt(const char* bytes, std::size_t size, std::string& out) {
  out_ = &out;
  while (size > 0) {
    std::size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes, size, &written) != 1) {
      break_off();
      return false;
    }
    bytes += written;
    size -= written;
  }
  return true;
}

// After an error OpenSSL must be asked for nothing more, not even for an end in order.
Io TlsStream::break_off() {
  established_ = false;
  ERR_clear_error();
  return Io::lost;
}

void TlsStream::end(std::string& out) {
  if (!established_ || std::exchange(said_end_, true)) return;
  out_ = &out;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace sluice
