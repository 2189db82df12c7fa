// The part of Connection that arms deadlines before it waits, and acts when they have passed.
#include "base/log.h"
#include "connection/connection.h"

namespace sluice {
namespace {

constexpr std::uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

void Connection::settle() {
  if (!watch() || takes_nothing()) return give_up();
  Transport& transport = channel_.transport();
  if (transport.take_starved() && !starved_) {
    starved_ = true;
    owner_.retry(index_);
  }
  const bool received = channel_.take_received();
  const bool sent = transport.take_progress();
  const bool sends = waiting_for_ == WaitingFor::socket_room || transport.has_unsent() ||
                     (session_ != nullptr && !session_->output().empty());
  if (session_ != nullptr) session_->settle(sends, received);
  if (waiting_for_ == WaitingFor::turn) {
    loop_.make_ready(*this);
    if (session_->only_takes_turns()) return loop_.deadlines().disarm(*this);
  }
  const std::optional<DeadlineKind> kind = own_deadline(sends);
  if (!kind) return loop_.deadlines().disarm(*this);
  if ((sent && kind == DeadlineKind::send) || !armed() || deadline_kind() != *kind) {
    loop_.deadlines().arm(*this, *kind, loop_.now_ms());
    looks_ = 0;
  }
}

bool Connection::watch() {
  if (token_ != EventLoop::kNoToken) return true;
  token_ = loop_.add(channel_.transport().fd(), kSocketEvents, *this);
  if (token_ != EventLoop::kNoToken) return true;
  log(LogLevel::error, "connection: the kernel watches no more descriptors; raise fs.epoll.max_user_watches");
  return false;
}

// nullopt while a stream has the deadline.
std::optional<DeadlineKind> Connection::own_deadline(bool sends) const {
  if (sends) return DeadlineKind::send;
  if (state_ == State::terminating) return DeadlineKind::linger;
  if (is_idle()) return served_ ? DeadlineKind::keepalive : DeadlineKind::head;
  if (session_->is_between()) return DeadlineKind::head;
  return std::nullopt;
}

void Connection::on_deadline(DeadlineKind kind) {
  if (kind == DeadlineKind::send && !client_is_stuck())
    return loop_.deadlines().arm(*this, kind, loop_.now_ms());
  enter([=, this] {
    // When a keep-alive time-out passes, the next request may just have arrived.
    if (kind != DeadlineKind::keepalive || !channel_.input_ready()) be_late(kind);
    run();
  });
}

void Connection::be_late(DeadlineKind kind) {
  if (kind == DeadlineKind::send) {
    const bool at_work = session_ != nullptr && !session_->is_between();
    lose_client(at_work && channel_.client_has_ended());
  } else if (state_ == State::terminating) {
    transition(Event::finished);
  } else if (is_idle()) {
    if (session_ != nullptr) session_->say_goodbye();
    transition(Event::ended);
  } else {
    follow(session_->refuse_late_head());
  }
}

void Connection::stream_is_late(DeadlineKind kind) {
  enter([=, this] {
    follow(session_->be_late(kind));
    run();
  });
}

// A socket with a large buffer reports room only when much of it is empty, which a slow client takes long to
// do. So the client counts as stuck only if several looks in a row find that it has acknowledged nothing.
bool Connection::client_is_stuck() {
  const std::uint32_t queued = channel_.transport().unacknowledged();
  looks_ = looks_ == 0 || queued < queued_ ? 1 : looks_ + 1;
  queued_ = queued;
  return looks_ > Deadlines::kSendLooks;
}

// A client may take nothing although its connection never waits to send, because small answers collect in the
// kernel. So once in a send time-out, the connection asks the kernel whether the client has acknowledged
// anything.
bool Connection::takes_nothing() {
  const std::uint64_t now_ms = loop_.now_ms();
  if (now_ms - looked_ms_ < Deadlines::kSendLooks * loop_.deadlines().duration_ms(DeadlineKind::send))
    return false;
  looked_ms_ = now_ms;
  const Transport& transport = channel_.transport();
  const std::optional<std::uint64_t> acknowledged = transport.acknowledged();
  if (!acknowledged) return false;
  const bool outstanding = transport.unacknowledged() > 0;
  const bool stuck = outstanding && outstanding_ && *acknowledged == acknowledged_;
  outstanding_ = outstanding;
  acknowledged_ = *acknowledged;
  return stuck;
}

}  // namespace sluice
