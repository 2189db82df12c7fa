// The part of Connection that arms deadlines before it waits, and acts when they have passed.
#include "base/log.h"
#include "connection/connection.h"

namespace sluice {
namespace {

// So 32 bits are enough for what a client takes between two looks.
constexpr std::uint64_t kTakenUnit = 16;
// What stands for a handshake that did not end in the access log.
constexpr std::uint32_t kLate = 408;
constexpr std::uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

void Connection::settle() {
  if (!watch()) return give_up();
  if (takes_nothing()) return give_up(Ending::late);
  Transport& transport = channel_.transport();
  if (transport.take_starved() && !starved_) {
    starved_ = true;
    owner_.retry(index_);
  }
  const bool received = channel_.take_received();
  const bool sends = waiting_for_ == WaitingFor::socket_room || transport.has_unsent() ||
                     (session_ != nullptr && !session_->output().empty());
  if (session_ != nullptr) session_->settle(sends, received);
  if (waiting_for_ == WaitingFor::turn) {
    run_again();
    if (session_->only_takes_turns()) return loop_.deadlines().disarm(*this);
  }
  const std::optional<DeadlineKind> kind = own_deadline(sends);
  if (!kind) return loop_.deadlines().disarm(*this);
  if (armed() && deadline_kind() == *kind) return;
  loop_.deadlines().arm(*this, *kind, loop_.now_ms());
  looks_ = 0;
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
    lose_client(at_work && channel_.client_has_ended(), Ending::late);
  } else if (state_ == State::terminating) {
    transition(Event::finished);
  } else if (is_shaking_hands()) {
    fail_handshake(kLate, "it did not end in time");
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
// do. So the kernel is asked several times in a window what the client has taken. It is stuck if it takes
// nothing for as many looks, or too little in a whole window.
bool Connection::client_is_stuck() {
  const auto taken = static_cast<std::uint32_t>(channel_.transport().taken() / kTakenUnit);
  const bool is_first = looks_ == 0;
  idle_looks_ = is_first || taken != look_taken_ ? 0 : idle_looks_ + 1;
  look_taken_ = taken;
  if (is_first) window_taken_ = taken;
  if (idle_looks_ >= Deadlines::kSendLooks) return true;
  if (++looks_ <= Deadlines::kSendLooks) return false;
  const std::uint64_t window_ms = Deadlines::kSendLooks * loop_.deadlines().duration_ms(DeadlineKind::send);
  const std::uint32_t of_window = taken - window_taken_;
  looks_ = 1;
  window_taken_ = taken;
  return of_window < limits_.send_rate_min * window_ms / 1000 / kTakenUnit;
}

// A client may take nothing although its connection never waits to send, because small answers collect in the
// kernel. So once in a send time-out, the connection asks the kernel whether the client has acknowledged
// anything.
bool Connection::takes_nothing() {
  const auto now_ms = static_cast<std::uint32_t>(loop_.now_ms());
  if (now_ms - looked_ms_ < Deadlines::kSendLooks * loop_.deadlines().duration_ms(DeadlineKind::send))
    return false;
  looked_ms_ = now_ms;
  const Transport& transport = channel_.transport();
  const std::optional<std::uint64_t> acknowledged = transport.acknowledged();
  if (!acknowledged) return false;
  const bool outstanding = transport.unacknowledged() > 0;
  const auto so_far = static_cast<std::uint32_t>(*acknowledged);
  const bool stuck = outstanding && outstanding_ && so_far == acknowledged_;
  outstanding_ = outstanding;
  acknowledged_ = so_far;
  return stuck;
}

}  // namespace sluice
