// The TLS side of one connection: turns records into bytes and bytes into records. It knows no system call but
// the receive of its socket, and never blocks.
//
// What it makes for the client is appended to the string that each call is given, and its caller sends it.
// Writing therefore always succeeds, and no call has to be repeated with the same bytes.
//
// One thread at a time: the loop's, or during a step of the handshake an offload thread's.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/peer_facts.h"
#include "transport/kernel_tls.h"
#include "transport/tls_identity.h"
#include "transport/tls_negotiation.h"

struct ssl_st;

namespace sluice {

class TlsContext;

class TlsStream final : private TlsHandshaker {
 public:
  // Nothing when there is no memory. The context lives longer.
  static std::unique_ptr<TlsStream> make(TlsContext& context, int socket);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  enum class Handshake : std::uint8_t {
    done,
    needs_bytes,   // of the client: see `feed`
    needs_thread,  // the next step computes for long; call it with `on_thread`
    plain_http,    // the client speaks HTTP in clear text
    failed,        // for `failure`; an alert for the client may be in the output
  };
  // Goes on as far as what was fed allows.
  Handshake step(std::string& out, bool on_thread);
  // Bytes of the client for the handshake, which does not read the socket itself. `all`: the socket is empty.
  void feed(std::string_view bytes, bool all) {
    fed_.append(bytes);
    fed_all_ = all;
  }
  // After `plain_http`: the bytes that were fed. The stream is of no use any more.
  std::string take_fed() { return std::exchange(fed_, {}); }
  // Bytes that were fed are left, as those of a request behind the handshake.
  bool has_fed() const;
  // What the client was shown; null before the handshake has begun.
  const TlsIdentity* identity() const { return identity_; }
  // Why the handshake failed, as OpenSSL says it; constant text.
  std::string_view failure() const { return failure_; }
  // The name that the client has asked for; empty for none, or if it is not known yet.
  std::string_view asked_name() const;
  bool was_resumed() const;
  // From now on the kernel makes the records of what the socket sends, if it can and `ktls` is on; then
  // `encrypt` and `end` must not be called. `all_sent`: nothing of the handshake waits to be sent, else OpenSSL
  // goes on. So it does for HTTP/2, whose files pass through frames. REQUIRES: the handshake is done.
  bool move_to_kernel(bool all_sent);
  // REQUIRES: the handshake is done.
  bool has_agreed_on_http2() const;

  // As Transport::receive. Fewer bytes than asked for means that nothing is left in the socket.
  Moved receive(char* buffer, std::size_t size, std::string& out);
  // It has said that nothing follows.
  bool peer_has_ended() const;
  // Writes the facts of TLS. REQUIRES: the handshake is done.
  void describe(PeerFacts& facts) const;
  // REQUIRES: the handshake is done.
  TlsFacts facts() const;
  // It has asked for another key, which the next `encrypt` would announce.
  bool owes_key_update() const;
  // One record or more. False when the connection is broken.
  bool encrypt(const char* bytes, std::size_t size, std::string& out);
  // Tells the client that nothing follows (close_notify), once.
  void end(std::string& out);
  bool has_said_end() const { return said_end_; }
  // A receive has failed for want of memory, which counts as full.
  bool take_starved() { return std::exchange(starved_, false); }

 private:
  friend struct TlsCallbacks;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  TlsStream(TlsContext& context, int socket) : context_(context), socket_(socket) {}
  Io break_off();
  const TlsIdentity* identity_for(const std::string& name) const override;
  bool take_identity(const TlsIdentity& identity) override;
  bool speaks_http2() const override { return identity_ != nullptr && identity_->speaks_http2; }
  const TicketKeys& ticket_keys() const override;
  void refuse_name(const std::string& name) override;
  bool peer_is_past_its_end() const;
  std::string_view agreed_protocol() const;

  TlsContext& context_;
  const TlsIdentity* identity_ = nullptr;
  std::unique_ptr<SendKey> send_key_;  // until the handshake is done, if `ktls` is on
  std::unique_ptr<ssl_st, Free> ssl_;
  int socket_;
  std::string fed_;
  std::size_t fed_used_ = 0;
  std::string* out_ = nullptr;  // of the call under way
  std::string_view failure_;
  std::string refused_name_;
  bool established_ = false;
  bool on_thread_ = false;
  bool fed_all_ = false;
  bool said_end_ = false;
  bool starved_ = false;
  std::size_t empty_bytes_ = 0;  // received since the last byte of content
  bool drained_ = false;         // within one call: the socket has just given less than it was asked for
  bool ended_ = false;           // the socket has
};

}  // namespace sluice
