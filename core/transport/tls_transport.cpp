// The parts of a transport that only TLS has.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transport/piece_reader.h"
#include "transport/tls_link.h"
#include "transport/transport.h"

namespace sluice {
namespace {

// Encrypted before the socket is asked. A send costs the same however long it is, so a portion is as much as
// the file modules read at once. What the socket does not take has to be kept, so the portions of a client that
// has just left something are smaller.
constexpr std::size_t kPortionMax = 128 * 1024;
constexpr std::size_t kSlowPortionMax = 64 * 1024;
static_assert(kSlowPortionMax >= Transport::kLastMax);

}  // namespace

// Sends the records of a call. What the socket does not take is kept.
Io Transport::send_records(bool more_follows) {
  std::string_view left = tls_->services().context.records();
  Io io = Io::ok;
  if (tls_->unsent().empty() && !left.empty()) {
    const iovec piece{const_cast<char*>(left.data()), left.size()};
    const Moved moved = send_now(&piece, 1, more_follows);
    left.remove_prefix(moved.size);
    io = moved.status;
  }
  if (!left.empty()) {
    tls_->keep(left);
    if (io == Io::ok) io = Io::full;
  }
  tls_->services().context.forget_records();
  return io;
}

Io Transport::flush_records() {
  while (!tls_->unsent().empty()) {
    const std::string_view left = tls_->unsent();
    const iovec piece{const_cast<char*>(left.data()), left.size()};
    const Moved moved = send_now(&piece, 1, false);
    tls_->use(moved.size);
    if (moved.status != Io::ok) return moved.status;
  }
  return Io::ok;
}

bool Transport::has_unsent_records() const {
  return !tls_->unsent().empty();
}

bool Transport::tls_is_for(std::string_view host) const {
  return tls_->services().context.find(host) == tls_->stream().identity();
}

void Transport::describe_tls(PeerFacts& facts) const {
  tls_->stream().describe(facts);
}

bool Transport::tls_agreed_on_http2() const {
  return tls_->stream().has_agreed_on_http2();
}

bool Transport::tls_peer_has_ended() const {
  return !tls_->is_computing() && tls_->stream().peer_has_ended();
}

Transport::Handshake Transport::shake_hands(Ready& waiter, bool& input_ready) {
  for (;;) {
    const Io io = flush();
    if (io != Io::ok) return io == Io::full ? Handshake::needs_room : Handshake::lost;
    if (tls_ == nullptr) return Handshake::done;
    if (tls_->is_computing()) return Handshake::computes;
    const TlsStream::Handshake result = tls_->step(tls_->services().context.fresh_records());
    const Io sent = send_records(false);
    if (sent == Io::lost) return Handshake::lost;
    switch (result) {
      case TlsStream::Handshake::done:
        count_handshake();
        move_to_kernel(sent == Io::ok);
        input_ready = input_ready || tls_->stream().has_fed();
        return Handshake::done;
      case TlsStream::Handshake::needs_thread:
        if (tls_->compute(waiter)) return Handshake::computes;
        return Handshake::overloaded;
      case TlsStream::Handshake::needs_bytes:
        break;
      case TlsStream::Handshake::plain_http:
        return Handshake::plain_http;
      case TlsStream::Handshake::failed:
        return Handshake::failed;
    }
    char buffer[TlsLink::kRecordMax];
    const Moved moved = input_ready ? receive_now(buffer, sizeof(buffer)) : Moved{0, Io::full};
    input_ready = moved.size == sizeof(buffer);
    if (moved.status == Io::full) return sent == Io::full ? Handshake::needs_room : Handshake::needs_bytes;
    if (moved.status == Io::lost || moved.size == 0) return Handshake::lost;
    tls_->touch();
    tls_->stream().feed({buffer, moved.size}, !input_ready);
  }
}

void Transport::count_handshake() {
  WorkerStats& stats = tls_->services().loop.stats();
  stats.tls_handshakes.add();
  if (tls_->stream().was_resumed()) stats.tls_handshakes_resumed.add();
}

void Transport::move_to_kernel(bool all_sent) {
  kernel_sends_ = tls_->stream().move_to_kernel(all_sent);
  if (kernel_sends_) tls_->services().loop.stats().tls_kernel.add();
}

void Transport::note_failed_handshake(std::string_view reason, std::uint64_t now_ms) {
  TlsServices& services = tls_->services();
  WorkerStats& stats = services.loop.stats();
  stats.tls_handshakes_failed.add();
  stats.tls_failures[stats.tls_failure_index(reason)].count.add();
  services.log.note(peer_name(), asked_name(), reason, now_ms);
}

std::optional<TlsFacts> Transport::tls_facts() const {
  return tls_ == nullptr ? std::nullopt : std::optional(tls_->stream().facts());
}

std::string_view Transport::asked_name() const {
  return tls_ == nullptr || tls_->is_computing() ? std::string_view() : tls_->stream().asked_name();
}

std::string Transport::forget_tls() {
  std::string said = tls_->stream().take_fed();
  tls_.reset();
  return said;
}

bool Transport::is_untouched() const {
  return tls_ != nullptr && tls_->is_untouched();
}

std::string_view Transport::handshake_failure() const {
  const std::string_view failure = tls_->stream().failure();
  return failure.empty() ? "no thread was free in time to sign" : failure;
}

Moved Transport::receive_decrypted(char* buffer, std::size_t size) {
  const Moved moved = tls_->stream().receive(buffer, size, tls_->services().context.fresh_records());
  starved_ = starved_ || tls_->stream().take_starved();
  // Nothing may follow the end, which was the last word.
  if (tls_->stream().has_said_end()) tls_->services().context.forget_records();
  if (kernel_sends_) {
    // OpenSSL does not know the kernel's count of records, so it cannot answer a key update, nor send an alert.
    worn_ = worn_ || tls_->stream().owes_key_update() || !tls_->services().context.records().empty();
    tls_->services().context.forget_records();
    return moved;
  }
  // An answer to a key update, or an alert.
  if (send_records(false) == Io::lost) return {moved.size, Io::lost};
  return moved;
}

// Appends the pieces' bytes from there on, up to a portion, as records. False when the connection is broken.
bool Transport::encrypt(PieceReader& pieces, std::size_t portion) {
  std::string& records = tls_->services().context.records();
  char buffer[TlsLink::kRecordMax];
  const std::uint64_t now_ms = tls_->services().loop.now_ms();
  for (std::size_t done = 0; done < portion;) {
    const std::size_t part = std::min(portion - done, tls_->record_size(now_ms));
    if (!tls_->stream().encrypt(pieces.take(part, buffer), part, records)) return false;
    tls_->count(part);
    done += part;
  }
  return true;
}

Moved Transport::send_encrypted(const iovec* pieces, int count, bool more_follows) {
  const std::size_t portion_max = has_unsent_records() ? kSlowPortionMax : kPortionMax;
  if (const Io io = flush_records(); io != Io::ok) return {0, io};
  std::size_t wanted = 0;
  for (int i = 0; i < count; ++i) wanted += pieces[i].iov_len;
  PieceReader reader(pieces);
  Moved moved;
  while (moved.size < wanted && moved.status == Io::ok) {
    const std::size_t portion = std::min(wanted - moved.size, portion_max);
    tls_->services().context.fresh_records();
    if (!encrypt(reader, portion)) return {0, Io::lost};
    moved.size += portion;
    moved.status = send_records(more_follows || moved.size < wanted);
  }
  return moved;
}

Moved Transport::send_last(std::string_view bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  if (tls_ == nullptr) return bytes.empty() ? Moved{} : send_now(&piece, 1, false);
  if (kernel_sends_) return send_last_by_kernel(bytes);
  if (const Io io = flush_records(); io != Io::ok || tls_->is_computing()) return {0, io};
  tls_->services().context.fresh_records();
  PieceReader reader(&piece);
  if (!bytes.empty() && !encrypt(reader, bytes.size())) return {0, Io::lost};
  tls_->stream().end(tls_->services().context.records());
  return {bytes.size(), send_records(false)};
}

Moved Transport::send_last_by_kernel(std::string_view bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  Moved moved = bytes.empty() ? Moved{} : send_now(&piece, 1, false);
  if (moved.status != Io::ok) return moved;
  if (!said_end_) {
    said_end_ = end_kernel_tls(socket_.get());
    if (!said_end_) return {moved.size, judge(errno)};
  }
  // The kernel takes records that the socket has no room for yet, and closing would throw them away.
  pollfd room{socket_.get(), POLLOUT, 0};
  if (::poll(&room, 1, 0) == 0) moved.status = Io::full;
  return moved;
}

}  // namespace sluice
