#include "connection/connection.h"

#include <fmt/core.h>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/log.h"

namespace sluice {
namespace {

// How often one connection receives in one turn while it lingers.
constexpr int kLingerReceivesMax = 8;
// What stands for failed handshakes in the access log.
constexpr std::uint32_t kFailed = 400;
constexpr std::uint32_t kClientLeft = 499;
constexpr std::uint32_t kOverloaded = 503;
constexpr std::string_view kClosedByClient = "the client has closed the connection";

class ConnectionLine final : public LogContext {
 public:
  ConnectionLine(const Transport& transport, std::uint32_t index) : transport_(transport), index_(index) {}
  std::string named_for_log() override {
    return fmt::format(", client {}, connection {}", transport_.peer_name(), index_ + 1);
  }

 private:
  const Transport& transport_;
  std::uint32_t index_;
};

}  // namespace

Connection::Connection(EventLoop& loop, const Limits& limits, ConnectionOwner& owner, std::uint32_t index,
                       AcceptedSocket socket, const AddressContext& at)
    : loop_(loop),
      limits_(limits),
      owner_(owner),
      channel_(loop, std::move(socket), at),
      looked_ms_(static_cast<std::uint32_t>(loop.now_ms())),
      index_(index),
      unheard_(channel_.has_proxy()) {}

Connection::~Connection() = default;

void Connection::start() {
  enter([this] { run(); });
}

void Connection::wake(Ticket ticket, const ModuleInstance& by) {
  if (session_ != nullptr && session_->wake(ticket, by)) run_again();
}

void Connection::try_again() {
  if (!starved_) return;
  starved_ = false;
  channel_.try_again();
  run_again();
}

bool Connection::close_if_idle() {
  // Bytes that have arrived and were not received yet may be a request.
  const bool silent = state_ == State::establishing &&
                      (unheard_ ? !channel_.transport().has_arrived() : channel_.transport().is_untouched());
  if ((state_ != State::open && !silent) || !is_idle() || channel_.input_ready()) return false;
  enter([this] {
    if (session_ != nullptr) session_->say_goodbye();
    transition(Event::ended);
    run();
  });
  return true;
}

bool Connection::give_way() {
  return is_idle() && !channel_.transport().has_arrived() && close_if_idle();
}

bool Connection::ask_to_leave() {
  if (state_ != State::open || session_ == nullptr) return false;
  if (session_->is_resting() && close_if_idle()) return true;
  bool asked = false;
  enter([&] { asked = session_->ask_to_leave(); });
  if (asked) run_again();
  return asked;
}

bool Connection::end_stream() {
  if (session_ == nullptr || state_ != State::open) return false;
  bool closes = false;
  enter([&] {
    const Session::Next next = session_->close_endless();
    closes = next != Session::Next::wait;
    if (!closes) return;
    follow(next);
    run();
  });
  return closes;
}

void Connection::cut() {
  if (state_ == State::closed) return;
  enter([this] {
    lose(Ending::closed);
    run();
  });
}

void Connection::on_events(std::uint32_t events) {
  enter([=, this] { take_events(events); });
}

void Connection::take_events(std::uint32_t events) {
  channel_.take_events(events);
  // After a reset, or when both sides are closed, no client is left to answer. RDHUP alone is a half-closed
  // client, which still gets its answer. A client of a Unix socket closes both sides at once: what it has sent
  // before is still served.
  const bool has_closed = (events & EPOLLHUP) != 0 && !(events & EPOLLERR) && channel_.transport().has_unread();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !has_closed) {
    if (lingering_) {
      transition(Event::finished);  // the client has read the answer and closed
    } else {
      if (is_shaking_hands()) note_failed_handshake(kClientLeft, kClosedByClient);
      lose_client(session_ != nullptr && !session_->is_between());
    }
  } else if (loop_.slice_is_over() || lengths_.average() != CallLength::brief) {
    return run_again();
  }
  run();
}

// The connection may have been closed earlier in this turn, after it was made ready.
void Connection::on_ready() {
  if (state_ != State::closed) enter([this] { run(); });
}

// The connection no longer waits for a request, so it has no deadline of its own.
Ticket Connection::begin_request() {
  loop_.deadlines().disarm(*this);
  return Ticket{(std::uint64_t{index_} << 32) | owner_.next_serial()};
}

void Connection::run() {
  channel_.budget() = limits_.turn_bytes_max;
  const std::uint64_t began_ns = loop_.looked_ns();
  if (session_ != nullptr) session_->begin_turn();
  advance();
  lengths_.add(monotonic_ns() - began_ns);
}

void Connection::advance() {
  for (;;) {
    while (run_state() == Step::go_on) {
      if (state_ == State::closed) return close();
    }
    // Finished answers leave now, even if the next one has to wait.
    if (flush() != Io::lost) break;
    lose_client(session_ != nullptr && !session_->is_between());
  }
  if (!sends_on()) channel_.transport().release();
  // A handler may take long, and so may a client, so an empty output buffer goes back.
  const bool may_be_long = waiting_for_ == WaitingFor::handler || waiting_for_ == WaitingFor::client_bytes;
  if (may_be_long && session_ != nullptr && session_->output().empty()) session_->output().release();
  settle();
}

// Whether more output follows as soon as there is room, or in the next turn.
bool Connection::sends_on() const {
  if (waiting_for_ == WaitingFor::socket_room) return !channel_.transport().starved();
  return waiting_for_ == WaitingFor::turn && session_->only_takes_turns();
}

Connection::Step Connection::run_state() {
  switch (state_) {
    case State::establishing:
      return establish();
    case State::open:
      return serve();
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
  if (state_ != State::establishing && shaking_) {
    shaking_ = false;
    end_use(ClientUse::handshake);
  }
}

Connection::Step Connection::wait_for(WaitingFor what) {
  waiting_for_ = what;
  return Step::wait;
}

// A connection that ends before its first byte is a look at the port.
Connection::Step Connection::hear_proxy() {
  std::string_view reason;
  switch (channel_.hear_proxy(reason)) {
    case Channel::Introduction::done:
      unheard_ = false;
      return Step::go_on;
    case Channel::Introduction::waits:
      return wait_for(WaitingFor::client_bytes);
    case Channel::Introduction::refused:
      if (PacedLog& log = channel_.address().proxies->log; !reason.empty() && log.is_due(loop_.now_ms())) {
        log.say(LogLevel::warning,
                fmt::format("a connection from {} is refused, because {}: --proxy-protocol names its network",
                            channel_.transport().peer_name(), reason));
      }
      break;
    case Channel::Introduction::lost:
      break;
  }
  return lose();
}

// A proxy that introduces its clients has no limit for connections of its own.
bool Connection::admit() {
  judged_ = true;
  const AddressContext& at = channel_.address();
  const PeerAddress peer = channel_.transport().peer_address();
  if (at.clients == nullptr || (at.proxies != nullptr && at.proxies->networks.has(peer))) return true;
  const std::uint32_t place = at.clients->place_of(peer);
  if (!at.clients->take(place, ClientUse::connection, peer, loop_.now_ms())) return false;
  client_ = place;
  if (!channel_.transport().is_secure()) return true;
  shaking_ = at.clients->take(place, ClientUse::handshake, peer, loop_.now_ms());
  return shaking_;
}

void Connection::end_use(ClientUse use) {
  if (client_ != ClientLimits::kNowhere) channel_.address().clients->give(client_, use);
}

Connection::Step Connection::establish() {
  if (unheard_) return hear_proxy();
  if (!judged_ && !admit()) return lose();
  switch (channel_.shake_hands(*this)) {
    case Transport::Handshake::done:
      break;
    case Transport::Handshake::needs_bytes:
      return wait_for(WaitingFor::client_bytes);
    case Transport::Handshake::needs_room:
      return wait_for(WaitingFor::socket_room);
    case Transport::Handshake::computes:
      return wait_for(WaitingFor::nothing);
    case Transport::Handshake::overloaded:
      return fail_handshake(kOverloaded, "the worker has no thread free to sign");
    case Transport::Handshake::plain_http:
      channel_.transport().note_failed_handshake("the client speaks HTTP in clear text", loop_.now_ms());
      transition(Event::opened);
      take_session(false);
      session_->refuse_plain_http(channel_.transport().forget_tls());
      return Step::go_on;
    case Transport::Handshake::failed:
      return fail_handshake(kFailed, channel_.transport().handshake_failure());
    case Transport::Handshake::lost:
      if (channel_.transport().is_untouched()) return lose();  // a look at the port
      return fail_handshake(kClientLeft, kClosedByClient);
  }
  transition(Event::opened);
  return Step::go_on;
}

void Connection::note_failed_handshake(std::uint32_t status, std::string_view reason) {
  channel_.transport().note_failed_handshake(reason, loop_.now_ms());
  owner_.handshake_failed(channel_, index_, status, reason);
}

Connection::Step Connection::fail_handshake(std::uint32_t status, std::string_view reason) {
  note_failed_handshake(status, reason);
  transition(Event::ended);
  return Step::go_on;
}

void Connection::take_session(bool http2) {
  session_ = owner_.take_session(http2);
  session_->attach(channel_, *this);
  session_->begin_turn();
}

void Connection::change_to_http2() {
  std::unique_ptr<Session> before = std::move(session_);
  take_session(true);
  session_->input().take(before->input());
  owner_.give_session(std::move(before));
}

Connection::Step Connection::serve() {
  if (session_ == nullptr) {
    if (!channel_.input_ready()) return wait_for(WaitingFor::client_bytes);
    take_session(channel_.transport().has_agreed_on_http2());
  }
  ConnectionLine line(channel_.transport(), index_);
  const LogScope scope(line);
  return follow(session_->advance());
}

Connection::Step Connection::follow(Session::Next next) {
  switch (next) {
    case Session::Next::wait:
      return wait_for(session_->waiting_for());
    case Session::Next::idle:
      return rest();
    case Session::Next::end:
      transition(Event::ended);
      return Step::go_on;
    case Session::Next::cut:
      return lose();
    case Session::Next::http2:
      change_to_http2();
      return Step::go_on;
    case Session::Next::leave:
      break;
  }
  return lose_client(true);
}

Connection::Step Connection::rest() {
  served_ = served_ || session_->has_served();
  if (session_->rest()) owner_.give_session(std::move(session_));
  return wait_for(WaitingFor::client_bytes);
}

Connection::Step Connection::terminate() {
  if (!abort_) {
    const Io io = session_ == nullptr ? channel_.flush_last() : channel_.flush_last(session_->output());
    if (io == Io::full) return wait_for(WaitingFor::socket_room);
    const bool lingers = session_ != nullptr && session_->lingers();
    if (io == Io::ok && lingers && !linger()) return wait_for(WaitingFor::client_bytes);
  }
  if (abort_) channel_.transport().abort();
  transition(Event::finished);
  return Step::go_on;
}

bool Connection::linger() {
  if (!lingering_) {
    lingering_ = true;
    channel_.transport().finish_sending();
  }
  Input& input = session_->input();
  for (int i = 0; i < kLingerReceivesMax; ++i) {
    input.use(input.rest().size());
    input.next_request();
    if (channel_.input_ended()) return true;
    const Io io = channel_.receive(input);
    if (io == Io::lost) return true;
    if (io == Io::full) return false;
  }
  run_again();
  return false;
}

Io Connection::flush() {
  return session_ == nullptr ? channel_.flush() : channel_.flush(session_->output());
}

Connection::Step Connection::lose(Ending ending) {
  if (session_ != nullptr) session_->cut(ending);
  abort_ = true;
  transition(Event::lost);
  return Step::go_on;
}

Connection::Step Connection::lose_client(bool at_work, Ending ending) {
  if (at_work) log(LogLevel::debug, "a client has left before its answer was complete");
  return lose(ending);
}

void Connection::give_up(Ending ending) {
  lose(ending);
  terminate();
  close();
}

void Connection::close() {
  loop_.deadlines().disarm(*this);
  end_use(ClientUse::connection);
  if (token_ != EventLoop::kNoToken) loop_.forget(token_);
  if (session_ != nullptr) owner_.give_session(std::move(session_));
  channel_.transport().close();
  owner_.closed(index_);
}

}  // namespace sluice
