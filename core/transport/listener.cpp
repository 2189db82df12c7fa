#include "transport/listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace sluice {
namespace {

constexpr int kLastTurnsMax = 2000;
constexpr std::uint64_t kPauseMs = 50;

}  // namespace

Listener::Listener(EventLoop& loop, Acceptor& acceptor, UniqueFd socket, std::uint32_t address)
    : loop_(loop), acceptor_(acceptor), socket_(std::move(socket)), address_(address) {
  loop_.own().add(socket_.get(), "a listening socket");
}

Listener::~Listener() {
  loop_.timers().cancel(resume_);
  if (token_ != EventLoop::kNoToken) loop_.remove(token_, socket_.get());
  give_up_socket();
}

void Listener::give_up_socket() {
  if (socket_) loop_.own().remove(socket_.get());
  socket_.reset();
}

Result<void> Listener::start() {
  // Level-triggered. EPOLLEXCLUSIVE: of the workers that share a socket, not all are woken (epoll_ctl(2)).
  token_ = loop_.add(socket_.get(), EPOLLIN | EPOLLEXCLUSIVE, *this);
  if (token_ == EventLoop::kNoToken) return fail_errno("cannot watch a listening socket", errno);
  loop_.own().expect_to_listen(socket_.get());
  return {};
}

void Listener::finish() {
  if (token_ != EventLoop::kNoToken) loop_.remove(token_, socket_.get());
  token_ = EventLoop::kNoToken;
  loop_.timers().cancel(resume_);
  last_turns_left_ = kLastTurnsMax;
  resume_ = loop_.timers().start(loop_.now_ms(), *this);
}

void Listener::accept_last() {
  for (int i = 0; i < kAcceptsMax; ++i) {
    const Attempt attempt = try_accept();
    if (attempt == Attempt::none_waits) return give_up_socket();
    if (attempt == Attempt::no_room) break;
  }
  if (--last_turns_left_ == 0) return give_up_socket();
  resume_ = loop_.timers().start(loop_.now_ms() + (held_up_ ? kPauseMs : 0), *this);
}

void Listener::on_events(std::uint32_t events) {
  // A Unix socket that was shut down: accept(2) says no more than that nobody waits.
  if ((events & EPOLLHUP) != 0) loop_.look_at_own();
  for (int i = 0; i < kAcceptsMax; ++i) {
    if (loop_.slice_is_over() && i > 0) return;
    const Attempt attempt = try_accept();
    if (attempt == Attempt::no_room) return pause();
    if (attempt == Attempt::none_waits) return;
  }
}

bool Listener::has_waiting() const {
  pollfd waiting{socket_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

bool Listener::make_room(int why) {
  const bool made = acceptor_.make_room(why, held_up_);
  held_up_ = !made;
  return made;
}

// At most one idle connection is closed for each shortage, because another process may take what it frees.
Listener::Attempt Listener::try_accept() {
  if (!acceptor_.can_accept()) {
    if (!has_waiting()) return Attempt::none_waits;  // so that no idle connection is closed in vain
    if (!make_room(Shortage::kAllOpen)) return Attempt::no_room;
  }
  Attempt attempt = accept_one();
  if (attempt == Attempt::no_room && make_room(no_room_error_)) attempt = accept_one();
  held_up_ = attempt == Attempt::no_room;
  return attempt;
}

Listener::Attempt Listener::accept_one() {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  const int accepted =
      ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    acceptor_.on_accept({UniqueFd(accepted), PeerAddress(peer)}, address_);
    return Attempt::taken;
  }
  switch (errno) {
    case EAGAIN:
      return Attempt::none_waits;
    case EBADF:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EINVAL:  // it does not listen yet or any more, or the descriptor is another socket by now
      loop_.look_at_own();
      return Attempt::none_waits;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      no_room_error_ = errno;
      // accept(2) fails so even if no client waits.
      return has_waiting() ? Attempt::no_room : Attempt::none_waits;
    default:
      return Attempt::taken;  // this connection has failed, but the next may not (accept(2))
  }
}

// A waiting connection that cannot be accepted would wake the loop again and again (level-triggered).
void Listener::pause() {
  if (token_ == EventLoop::kNoToken) return;
  // First the timer: if it throws for want of memory, the socket stays watched.
  resume_ = loop_.timers().start(loop_.now_ms() + kPauseMs, *this);
  loop_.remove(token_, socket_.get());
  token_ = EventLoop::kNoToken;
}

void Listener::fired() {
  resume_ = TimerId{};
  if (last_turns_left_ > 0) return accept_last();
  if (!start()) resume_ = loop_.timers().start(loop_.now_ms() + kPauseMs, *this);
}

}  // namespace sluice
