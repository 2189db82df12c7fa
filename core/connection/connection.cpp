#include "connection/connection.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/out_of_memory.h"
#include "connection/http1_session.h"

namespace sluice {
namespace {

constexpr std::uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

Connection::Connection(ConnectionContext& context, ConnectionTable& table, std::uint32_t index, UniqueFd socket)
    : context_(context),
      table_(table),
      transport_(std::move(socket)),
      looked_ms_(context.loop.now_ms()),
      index_(index) {}

Connection::~Connection() = default;

template <typename Call>
void Connection::enter(Call&& call) {
  if (unless_out_of_memory("memory is used up: a connection is closed", call) || state_ == State::closed)
    return;
  lose();
  terminate();
  close();
}

void Connection::start() {
  enter([this] { run(); });
}

void Connection::wake(std::uint32_t serial, const ModuleInstance& by) {
  if (serial != serial_ || serial_ == 0 || session_ == nullptr) return;
  const ModuleInstance* handled_by = session_->exchange.instance();
  if (handled_by == nullptr || !handled_by->is_of_file(by)) return;
  woken_ = true;
  context_.loop.make_ready(*this);
}

void Connection::try_again() {
  if (!starved_) return;
  starved_ = false;
  input_ready_ = output_ready_ = true;
  context_.loop.make_ready(*this);
}

bool Connection::close_if_idle() {
  // What has been announced, and not been received yet, may be a request.
  if (state_ != State::parsing || session_ != nullptr || input_ready_) return false;
  enter([this] {
    transition(Event::ended);
    run();
  });
  return true;
}

bool Connection::give_way() {
  return state_ == State::parsing && session_ == nullptr && !transport_.has_arrived() && close_if_idle();
}

bool Connection::end_stream() {
  if (!waits_in_stream()) return false;
  enter([this] {
    close_stream();
    run();
  });
  return true;
}

void Connection::cut() {
  if (state_ == State::closed) return;
  enter([this] {
    lose();
    run();
  });
}

void Connection::on_events(std::uint32_t events) {
  enter([=, this] { take_events(events); });
}

void Connection::take_events(std::uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) input_ready_ = true;
  if ((events & EPOLLIN) != 0) announced_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_to_end_ = true;
  if ((events & EPOLLOUT) != 0) output_ready_ = true;
  // Reset, or closed on both sides: nobody is left to answer. RDHUP alone is a half-closed client, who is.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    if (lingering_) {
      transition(Event::finished);  // it has read the answer and closed
    } else {
      lose_client();
    }
  } else if (context_.loop.slice_is_over()) {
    return context_.loop.make_ready(*this);
  }
  run();
}

void Connection::on_deadline(DeadlineKind kind) {
  if (kind == DeadlineKind::send && !client_is_stuck())
    return context_.loop.deadlines().arm(*this, kind, context_.loop.now_ms());
  enter([=, this] {
    // Its next request has been announced.
    if (kind != DeadlineKind::keepalive || !input_ready_) be_late(kind);
    run();
  });
}

// It may have been closed earlier in this turn, after it had been made ready.
void Connection::on_ready() {
  if (state_ != State::closed) enter([this] { run(); });
}

Ticket Connection::exchange_ticket() {
  return Ticket{(std::uint64_t{index_} << 32) | serial_};
}

void Connection::run() {
  budget_ = context_.limits.turn_bytes_max;
  requests_left_ = kTurnRequestsMax;
  advance();
}

void Connection::advance() {
  for (;;) {
    while (run_state() == Step::go_on) {
      if (state_ == State::closed) return close();
    }
    // Whatever waits, what was answered does not.
    const Io io = flush();
    if (io != Io::lost) break;
    lose_client();
  }
  if (!sends_on()) transport_.release();
  // What waits for its handler may do so for long.
  if (waiting_for_ == WaitingFor::handler && session_->output.empty()) session_->output.release();
  settle();
}

// Whether more follows as soon as there is room, or in the next turn.
bool Connection::sends_on() const {
  if (waiting_for_ == WaitingFor::socket_room) return !transport_.starved();
  return waiting_for_ == WaitingFor::turn && !session_->stalled;
}

Connection::Step Connection::run_state() {
  switch (state_) {
    case State::establishing:
      return establish();
    case State::parsing:
      return parse();
    case State::identifying:
      return identify();
    case State::preparing:
      return prepare();
    case State::transmitting:
      return transmit();
    case State::terminating:
      return terminate();
    case State::closed:
      break;
  }
  return Step::go_on;
}

void Connection::transition(Event event) {
  const std::optional<State> next = next_state(state_, event);
  if (!next) {
    log(LogLevel::error, "connection: " + std::string(event_name(event)) + " must not happen while " +
                             std::string(state_name(state_)) + "; please report this");
#if !defined(NDEBUG)
    std::abort();
#endif
    abort_ = true;
  }
  state_ = next.value_or(state_after_fault(state_));
}

Connection::Step Connection::wait_for(WaitingFor what) {
  waiting_for_ = what;
  return Step::wait;
}

DeadlineKind Connection::deadline_kind() const {
  if (waiting_for_ == WaitingFor::socket_room || (session_ != nullptr && !session_->output.empty())) {
    return DeadlineKind::send;
  }
  if (drains_body()) return DeadlineKind::body;
  // The client of a stream without a known end has sent its end, and has most likely left: what is not resumed
  // soon would wait for nobody.
  if (client_has_ended() && waits_in_stream()) return DeadlineKind::linger;
  if (waiting_for_ == WaitingFor::handler || waiting_for_ == WaitingFor::turn) return DeadlineKind::handler;
  if (state_ == State::terminating) return DeadlineKind::linger;
  if (state_ != State::parsing) return DeadlineKind::body;
  return served_ && session_ == nullptr ? DeadlineKind::keepalive : DeadlineKind::head;
}

// A body that nobody wants is waited for as long as its deadline says, however it comes.
bool Connection::drains_body() const {
  return state_ == State::preparing && session_->exchange.body().draining();
}

void Connection::settle() {
  if (token_ == EventLoop::kNoToken) {
    token_ = context_.loop.add(transport_.fd(), kSocketEvents, *this);
    if (token_ == EventLoop::kNoToken) {
      log(LogLevel::error,
          "connection: the kernel watches no more descriptors; raise fs.epoll.max_user_watches");
      return give_up();
    }
  }
  if (takes_nothing()) return give_up();
  if (transport_.take_starved() && !starved_) {
    starved_ = true;
    table_.retry(*this);
  }
  if (waiting_for_ == WaitingFor::turn) {
    context_.loop.make_ready(*this);
    if (!session_->stalled && !drains_body()) return context_.loop.deadlines().disarm(*this);
  }
  const DeadlineKind kind = deadline_kind();
  if (kind == DeadlineKind::body && waiting_for_ == WaitingFor::client_bytes)
    session_->exchange.body().pace().wait(context_.loop.now_ms());
  const bool progressed = postponed(kind);
  if (progressed || !armed() || DeadlineNode::deadline_kind() != kind) {
    context_.loop.deadlines().arm(*this, kind, context_.loop.now_ms());
    looks_ = 0;
  }
}

bool Connection::postponed(DeadlineKind kind) {
  const bool received = received_;
  const bool wrote = wrote_;
  const bool sent = transport_.take_progress();
  received_ = wrote_ = false;
  switch (kind) {
    case DeadlineKind::send:
      return sent;
    case DeadlineKind::body:
      return received && !drains_body();
    case DeadlineKind::handler:
      return wrote;
    case DeadlineKind::linger:
      return wrote && state_ == State::transmitting;
    default:
      return false;  // a deadline of the whole
  }
}

// A socket with a large buffer tells of room only when much of it is empty, which takes a slow client long. So
// the client is stuck only when several looks in a row find that it has acknowledged nothing.
bool Connection::client_is_stuck() {
  const std::uint32_t queued = transport_.unacknowledged();
  looks_ = looks_ == 0 || queued < queued_ ? 1 : looks_ + 1;
  queued_ = queued;
  return looks_ > Deadlines::kSendLooks;
}

// A client may take nothing although its connection never waits to send: small answers collect in the kernel.
// So the kernel is asked once in a send time-out whether the client has acknowledged anything since.
bool Connection::takes_nothing() {
  const std::uint64_t now_ms = context_.loop.now_ms();
  const Deadlines& deadlines = context_.loop.deadlines();
  if (now_ms - looked_ms_ < Deadlines::kSendLooks * deadlines.duration_ms(DeadlineKind::send)) return false;
  looked_ms_ = now_ms;
  const std::optional<std::uint64_t> acknowledged = transport_.acknowledged();
  if (!acknowledged) return false;
  const bool outstanding = transport_.unacknowledged() > 0;
  const bool stuck = outstanding && outstanding_ && *acknowledged == acknowledged_;
  outstanding_ = outstanding;
  acknowledged_ = *acknowledged;
  return stuck;
}

void Connection::give_up() {
  lose();
  terminate();
  close();
}

// full: nothing has arrived. ok may mean that the client has ended: input_ended_.
Io Connection::receive() {
  if (!input_ready_) return Io::full;
  bool filled = false;
  const std::uint64_t announced_ns = announced_ ? context_.loop.now_ns() : 0;
  const Moved moved = session_->input.receive(transport_, announced_ns, filled);
  announced_ = false;
  if (moved.status != Io::ok) {
    input_ready_ = false;
    return moved.status;
  }
  input_ended_ = moved.size == 0;
  // After a short receive nothing is left, and the edge will tell; unless the edge of the end has passed
  // already.
  if (input_ended_ || (!filled && !read_to_end_)) input_ready_ = false;
  received_ = true;
  budget_ -= std::min<std::uint64_t>(budget_, moved.size);
  return Io::ok;
}

Io Connection::flush() {
  if (session_ == nullptr || session_->output.empty()) return Io::ok;
  if (!output_ready_) return Io::full;
  const Io io = session_->output.flush(transport_, false);
  if (io == Io::full) output_ready_ = false;
  return io;
}

void Connection::close() {
  context_.loop.deadlines().disarm(*this);
  if (token_ != EventLoop::kNoToken) context_.loop.forget(token_);
  if (session_ != nullptr) table_.give_session(std::move(session_));
  transport_.close();
  table_.remove(*this);
}

void Connection::rest() {
  Http1Session& session = *session_;
  if (!session.input.empty() || flush() != Io::ok) return;
  table_.give_session(std::move(session_));
}

}  // namespace sluice
