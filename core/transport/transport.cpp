#include "transport/transport.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "transport/socket_calls.h"
#include "transport/tls_link.h"

namespace sluice {
namespace {

// As much as a TLS connection sends at once.
constexpr int kUnsentMax = 128 * 1024;

constexpr bool would_block(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK;
}

}  // namespace

Transport::Transport(AcceptedSocket socket, TlsServices* tls)
    : socket_(std::move(socket.socket)), peer_(socket.peer) {
  if (tls != nullptr) tls_ = std::make_unique<TlsLink>(*tls, socket_.get());
}

Transport::~Transport() = default;

Moved Transport::receive(char* buffer, std::size_t size) {
  return tls_ == nullptr ? receive_now(buffer, size) : receive_decrypted(buffer, size);
}

Moved Transport::send(const iovec* pieces, int count, bool more_follows) {
  if (kernel_sends_) {
    // MSG_MORE would leave a record open, which `release` does not finish.
    if (more_follows) cork();
    return send_now(pieces, count, false);
  }
  return tls_ == nullptr ? send_now(pieces, count, more_follows) : send_encrypted(pieces, count, more_follows);
}

Io Transport::judge(int error_number) {
  const bool starved = error_number == ENOBUFS || error_number == ENOMEM;
  starved_ = starved_ || starved;
  return starved || would_block(error_number) ? Io::full : Io::lost;
}

Moved Transport::receive_now(char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t got = socket_calls.receive(socket_.get(), buffer, size);
    if (got >= 0) return {static_cast<std::uint64_t>(got), Io::ok};
    if (errno != EINTR) return {0, judge(errno)};
  }
}

Moved Transport::peek(char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer, size, MSG_PEEK | MSG_DONTWAIT);
    if (got >= 0) return {static_cast<std::uint64_t>(got), Io::ok};
    if (errno != EINTR) return {0, judge(errno)};
  }
}

Io Transport::skip(std::size_t size) {
  std::array<char, kSkippedMax> skipped;
  while (size > 0) {
    const ssize_t got = ::recv(socket_.get(), skipped.data(), std::min(size, skipped.size()), MSG_DONTWAIT);
    if (got > 0) size -= static_cast<std::size_t>(got);
    if (got == 0 || (got < 0 && errno != EINTR)) return Io::lost;
  }
  return Io::ok;
}

bool Transport::has_unread() const {
  int size = 0;
  return ::ioctl(socket_.get(), FIONREAD, &size) == 0 && size > 0;
}

bool Transport::has_arrived() const {
  char byte = 0;
  return ::recv(socket_.get(), &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) >= 0 || !would_block(errno);
}

Moved Transport::send_now(const iovec* pieces, int count, bool more_follows) {
  std::size_t wanted = 0;
  for (int i = 0; i < count; ++i) wanted += pieces[i].iov_len;
  const int flags = MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0);
  for (;;) {
    const ssize_t sent = socket_calls.send(socket_.get(), pieces, count, flags);
    if (sent >= 0) {
      sent_ += static_cast<std::uint64_t>(sent);
      held_ = is_tcp_ && (corked_ || more_follows);
      const auto size = static_cast<std::size_t>(sent);
      count_records(size);
      return {size, size < wanted ? Io::full : Io::ok};
    }
    if (errno != EINTR) return {0, judge(errno)};
  }
}

Moved Transport::send_file(int fd, std::uint64_t offset, std::uint64_t size) {
  if (!sends_files()) return {0, Io::unsupported};
  // sendfile(2) moves at most so many bytes a call.
  constexpr std::uint64_t kCallMax = 0x7ffff000;
  Moved moved;
  auto position = static_cast<off_t>(offset);
  while (moved.size < size) {
    const ssize_t sent =
        socket_calls.send_file(socket_.get(), fd, &position, std::min(size - moved.size, kCallMax));
    if (sent > 0) {
      sent_ += static_cast<std::uint64_t>(sent);
      held_ = corked_;
      moved.size += static_cast<std::uint64_t>(sent);
      count_records(static_cast<std::uint64_t>(sent));
    } else if (sent == 0) {
      moved.status = Io::short_file;
      break;
    } else if (errno != EINTR) {
      moved.status = errno == EINVAL || errno == ENOSYS ? Io::unsupported : judge(errno);
      break;
    }
  }
  return moved;
}

bool Transport::set_option(int option, int value) {
  return is_tcp_ && ::setsockopt(socket_.get(), IPPROTO_TCP, option, &value, sizeof(value)) == 0;
}

void Transport::cork() {
  if (corked_ || !is_tcp_) return;
  corked_ = is_tcp_ = set_option(TCP_CORK, 1);
}

void Transport::keep_little_unsent() {
  set_option(TCP_NOTSENT_LOWAT, kUnsentMax);
}

void Transport::release() {
  if (!held_) return;
  held_ = false;
  // Setting TCP_NODELAY again sends held back bytes as well (tcp(7)).
  is_tcp_ = corked_ ? set_option(TCP_CORK, 0) : set_option(TCP_NODELAY, 1);
  corked_ = false;
}

std::uint32_t Transport::unacknowledged() const {
  int size = 0;
  return ::ioctl(socket_.get(), SIOCOUTQ, &size) == 0 ? static_cast<std::uint32_t>(size) : 0;
}

std::optional<std::uint64_t> Transport::acknowledged() const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  const bool told = is_tcp_ && ::getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
                    size >= offsetof(tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked);
  return told ? std::optional<std::uint64_t>(info.tcpi_bytes_acked) : std::nullopt;
}

std::uint64_t Transport::taken() const {
  return sent_ - std::min<std::uint64_t>(sent_, unacknowledged());
}

void Transport::finish_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void Transport::abort() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

PeerAddress Transport::peer_address() const {
  return peer_.is_known() ? peer_ : PeerAddress::of(socket_.get());
}

PeerFacts Transport::peer_facts() const {
  PeerFacts facts;
  peer_address().describe(facts);
  if (by_proxy_) facts.peer.flags |= kPeerByProxy;
  if (is_secure()) describe_tls(facts);
  return facts;
}

}  // namespace sluice
