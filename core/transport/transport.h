// The interface between a connection and its socket, which is a TCP or Unix stream, in clear text or with TLS.
//
// Owns the socket. No call blocks, and errors are values of Io, not errno. Loop thread.
#pragma once

#include <sluice/abi.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/peer_address.h"
#include "base/peer_facts.h"
#include "base/unique_fd.h"

namespace sluice {

class PieceReader;
class Ready;
class TlsLink;
struct TlsServices;

class Transport {
 public:
  // With services, TLS is spoken: nothing but `shake_hands` may move bytes before that is done. Throws
  // std::bad_alloc.
  explicit Transport(AcceptedSocket socket, TlsServices* tls = nullptr);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return socket_.get(); }
  enum class Handshake : std::uint8_t {
    done,
    needs_bytes,
    needs_room,
    computes,    // on a thread; the waiter is made ready afterwards
    overloaded,  // no thread has room for it
    plain_http,  // the client speaks HTTP in clear text
    failed,      // for `handshake_failure`; an alert may be unsent
    lost,
  };
  // Goes on with the handshake of TLS, which clear text does not have. `input_ready` tells whether receiving
  // may bring something, and is cleared when the socket is empty.
  Handshake shake_hands(Ready& waiter, bool& input_ready);
  std::string_view handshake_failure() const;
  bool is_secure() const { return tls_ != nullptr; }
  // The connection should end after this answer: its key has sealed much, or the client has asked for another.
  bool is_worn() const { return worn_ || records_ > kRecordsMax; }
  // Whether what the client was shown is also what it gets under this name. In clear text it always is.
  bool is_for(std::string_view host) const { return tls_ == nullptr || tls_is_for(host); }
  // Whether the handshake has agreed on HTTP/2 (RFC 7301). In clear text it never is.
  bool has_agreed_on_http2() const { return tls_ != nullptr && tls_agreed_on_http2(); }
  // TLS is spoken, and the client has said nothing yet.
  bool is_untouched() const;
  void note_failed_handshake(std::string_view reason, std::uint64_t now_ms);
  // From now on in clear text. Returns what the client has said until now.
  std::string forget_tls();

  // ok with size 0: the client has sent its last byte. full: no bytes are there now.
  Moved receive(char* buffer, std::size_t size);
  // It has said that nothing follows, be it received or not. Without TLS only the socket tells.
  bool peer_has_ended() const { return tls_ != nullptr && tls_peer_has_ended(); }
  // Copies what has arrived, below TLS, and leaves it there. ok with size 0: as for `receive`.
  Moved peek(char* buffer, std::size_t size);
  // Removes these bytes, which `peek` has shown. At most kSkippedMax.
  static constexpr std::size_t kSkippedMax = 4096;
  Io skip(std::size_t size);
  // Whether bytes have arrived and were not received.
  bool has_unread() const;
  // Whether bytes, the end of the stream or an error have arrived and were not received.
  bool has_arrived() const;
  // `more_follows` lets the kernel hold a short segment back until more bytes or `release` follow (MSG_MORE).
  // What is taken may still wait in the transport, for `flush`; then the status is full.
  Moved send(const iovec* pieces, int count, bool more_follows);
  bool has_unsent() const { return tls_ != nullptr && has_unsent_records(); }
  // Sends what waits. ok: nothing is left.
  Io flush() { return has_unsent() ? flush_records() : Io::ok; }
  // Whether send_file can do anything.
  bool sends_files() const { return tls_ == nullptr || kernel_sends_; }
  // ok: all of `size` was sent. short_file: the file ended early. unsupported: see sends_files.
  Moved send_file(int fd, std::uint64_t offset, std::uint64_t size);
  // Holds short segments back until `release`, also at the end of each send_file (TCP_CORK).
  void cork();
  // Lets the kernel keep little that it has not sent, so that what is decided late still counts
  // (TCP_NOTSENT_LOWAT).
  void keep_little_unsent();
  // Sends the bytes that are held back, because nothing follows for now. The kernel would wait 200 ms.
  void release();
  // Whether a call has failed for want of memory. It returned full, but epoll reports no edge when memory is
  // free again.
  bool starved() const { return starved_; }
  bool take_starved() { return std::exchange(starved_, false); }
  // How much was sent and not acknowledged yet. If nothing is sent between two calls, a smaller second value
  // means that the client has taken bytes. On TCP it counts bytes; on Unix sockets the kernel's memory, which
  // shrinks by whole buffers of some 32 KiB.
  std::uint32_t unacknowledged() const;
  // How many bytes the client has acknowledged since it connected; nullopt where the kernel does not count
  // them.
  std::optional<std::uint64_t> acknowledged() const;
  // What the socket has taken to send, without what is unacknowledged. On Unix sockets it is about what the
  // client has read.
  std::uint64_t taken() const;
  // Sends these last bytes, and tells the client that nothing follows, where that takes more than closing. A
  // part may be unsent. At most kLastMax bytes; may be called again.
  static constexpr std::size_t kLastMax = 64 * 1024;
  Moved send_last(std::string_view bytes);
  // Ends the sending direction. Receiving goes on.
  void finish_sending();
  // Makes the later close reset the connection instead of ending it in order.
  void abort();
  // The client: the socket's peer, or whom a proxy has introduced in its place.
  PeerAddress peer_address() const;
  void introduce(const PeerAddress& client) {
    peer_ = client;
    by_proxy_ = true;
  }
  std::string peer_name() const { return peer_address().text(); }
  // With TLS, REQUIRES: the handshake is done.
  PeerFacts peer_facts() const;
  // Nothing in clear text. REQUIRES: the handshake is done.
  std::optional<TlsFacts> tls_facts() const;
  // The name that the client has asked for by TLS; empty for none, or if it is not known yet.
  std::string_view asked_name() const;
  // Closes the descriptor, so that another connection can have its number in this turn. No other call may
  // follow.
  void close() { socket_.reset(); }

 private:
  void describe_tls(PeerFacts& facts) const;
  Io judge(int error_number);
  bool set_option(int option, int value);
  Moved receive_now(char* buffer, std::size_t size);
  Moved send_now(const iovec* pieces, int count, bool more_follows);
  Moved receive_decrypted(char* buffer, std::size_t size);
  Moved send_encrypted(const iovec* pieces, int count, bool more_follows);
  bool encrypt(PieceReader& pieces, std::size_t portion);
  bool tls_is_for(std::string_view host) const;
  bool tls_peer_has_ended() const;
  bool tls_agreed_on_http2() const;
  bool has_unsent_records() const;
  Io send_records(bool more_follows);
  Io flush_records();
  void count_handshake();
  void move_to_kernel(bool all_sent);
  void count_records(std::uint64_t size) {
    if (kernel_sends_) records_ += static_cast<std::uint32_t>(1 + size / kRecordSize);
  }
  Moved send_last_by_kernel(std::string_view bytes);

  UniqueFd socket_;
  PeerAddress peer_;
  std::unique_ptr<TlsLink> tls_;  // null: clear text
  std::uint64_t sent_ = 0;        // that the socket has taken
  bool starved_ = false;
  bool corked_ = false;
  bool held_ = false;          // the kernel may hold bytes back
  bool is_tcp_ = true;         // until setting an option of TCP fails
  bool kernel_sends_ = false;  // the kernel makes the records of TLS
  bool said_end_ = false;      // by the kernel
  bool worn_ = false;
  bool by_proxy_ = false;  // a proxy has told peer_
  // A third of what RFC 8446 section 5.5 allows, so that an answer of 250 GB under way has room.
  static constexpr std::uint64_t kRecordSize = 16 * 1024;
  static constexpr std::uint32_t kRecordsMax = 1U << 23;
  std::uint32_t records_ = 0;  // that the kernel has made, about
};

}  // namespace sluice
