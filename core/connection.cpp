#include "connection.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "conversation.h"
#include "log.h"
#include "target_path.h"

namespace sluice {
namespace {

constexpr std::uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// Requests that one connection may have answered in one turn, so that a pipeline of tiny ones is fair, too.
constexpr std::uint16_t kTurnRequestsMax = 64;
// Receives of one connection in one turn while its leftovers are thrown away.
constexpr int kLingerReceivesMax = 8;

}  // namespace

Connection::Connection(ConnectionContext& context, ConnectionTable& table, std::uint32_t index, UniqueFd socket)
    : context_(context), table_(table), transport_(std::move(socket)), index_(index) {}

Connection::~Connection() = default;

void Connection::start() {
  run();
}

void Connection::wake(std::uint32_t serial) {
  if (serial != serial_ || serial_ == 0) return;
  woken_ = true;
  context_.loop.make_ready(*this);
}

void Connection::close_if_idle() {
  if (state_ != State::parsing || conversation_ != nullptr) return;
  transition(Event::ended);
  run();
}

void Connection::on_events(std::uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) input_ready_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_to_end_ = true;
  if ((events & EPOLLOUT) != 0) output_ready_ = true;
  // Reset, or closed on both sides: nobody is left to answer. RDHUP alone is a half-closed client, who is.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    if (lingering_) {
      transition(Event::finished);  // it has read the answer and closed
    } else {
      lose();
    }
  }
  run();
}

void Connection::on_deadline(DeadlineKind kind) {
  if (state_ == State::parsing && (kind == DeadlineKind::keepalive || kind == DeadlineKind::head)) {
    const bool in_head = conversation_ != nullptr && !conversation_->parser.at_start();
    if (in_head) {
      refuse(408);
    } else {
      transition(Event::ended);
    }
  } else if (state_ == State::preparing && conversation_->exchange.stage() == HttpExchange::Stage::deferred &&
             (kind == DeadlineKind::handler || kind == DeadlineKind::body)) {
    if (kind == DeadlineKind::handler) conversation_->exchange.report_fault("a deferred answer is overdue");
    conversation_->exchange.answer_for_handler(kind == DeadlineKind::handler ? 504 : 408);
  } else if (kind == DeadlineKind::linger) {
    transition(Event::finished);
  } else {
    if (kind == DeadlineKind::handler && conversation_ != nullptr) {
      conversation_->exchange.report_fault("a parked body was not resumed in time");
    }
    lose();
  }
  run();
}

// It may have been closed earlier in this turn, after it had been made ready.
void Connection::on_ready() {
  if (state_ != State::closed) run();
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
    if (flush() != Io::lost) break;
    lose();
  }
  settle();
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
  state_ = next.value_or(state_ == State::terminating ? State::closed : State::terminating);
}

Connection::Step Connection::wait_for(WaitingFor what) {
  waiting_for_ = what;
  return Step::wait;
}

DeadlineKind Connection::deadline_kind() const {
  if (waiting_for_ == WaitingFor::socket_room || (conversation_ != nullptr && !conversation_->output.empty())) {
    return DeadlineKind::send;
  }
  if (waiting_for_ == WaitingFor::handler) return DeadlineKind::handler;
  if (state_ == State::terminating) return DeadlineKind::linger;
  if (state_ != State::parsing) return DeadlineKind::body;
  return served_ && conversation_ == nullptr ? DeadlineKind::keepalive : DeadlineKind::head;
}

void Connection::settle() {
  if (token_ == EventLoop::kNoToken) {
    token_ = context_.loop.add(transport_.fd(), kSocketEvents, *this);
    if (token_ == EventLoop::kNoToken) {
      log(LogLevel::error,
          "connection: the kernel watches no more descriptors; raise fs.epoll.max_user_watches");
      lose();
      terminate();
      return close();
    }
  }
  if (waiting_for_ == WaitingFor::turn) {
    context_.loop.deadlines().disarm(*this);
    context_.loop.make_ready(*this);
    return;
  }
  const DeadlineKind kind = deadline_kind();
  const bool moves = kind == DeadlineKind::send || kind == DeadlineKind::body || kind == DeadlineKind::handler;
  if (!armed() || DeadlineNode::deadline_kind() != kind || (moves && progressed_)) {
    context_.loop.deadlines().arm(*this, kind, context_.loop.now_ms());
  }
  progressed_ = false;
}

Connection::Step Connection::establish() {
  transition(Event::opened);
  return Step::go_on;
}

Connection::Step Connection::parse() {
  if (conversation_ == nullptr) {
    if (!input_ready_) return wait_for(WaitingFor::client_bytes);
    conversation_ = table_.take_conversation();
  }
  Conversation& talk = *conversation_;
  if (requests_left_ == 0 || budget_ == 0) return wait_for(WaitingFor::turn);
  for (;;) {
    if (!talk.input.empty()) {
      const RequestParser::HeadResult result = talk.parser.parse_head(talk.input.head());
      if (result.outcome == RequestParser::Outcome::refused) return refuse(result.status);
      if (result.outcome == RequestParser::Outcome::complete) {
        talk.input.head_ends(result.size);
        context_.loop.deadlines().disarm(*this);
        transition(Event::head_complete);
        return Step::go_on;
      }
    }
    const Io io = input_ended_ ? Io::ok : receive();
    if (input_ended_) {
      transition(Event::ended);
      return Step::go_on;
    }
    if (io == Io::lost) return lose();
    if (io == Io::full) {
      rest();
      return wait_for(WaitingFor::client_bytes);
    }
  }
}

// The request cannot be understood, or did not come in time: what follows it cannot be told apart, either.
Connection::Step Connection::refuse(std::uint32_t status) {
  static const RequestHead kNoHead{};
  linger_ = true;
  conversation_->handled = true;
  conversation_->exchange.begin(kNoHead, *this);
  conversation_->exchange.fail(status);
  transition(Event::head_refused);
  return Step::go_on;
}

Connection::Step Connection::identify() {
  Conversation& talk = *conversation_;
  const RequestHead& head = talk.parser.head();
  --requests_left_;
  served_ = true;
  serial_ = table_.next_serial();
  talk.exchange.begin(head, *this);
  const TargetPath target = judge_target(head.target, talk.path);
  if (target.status != 200) {
    answer_unrouted(target.status);
  } else if (target.path == "*") {
    talk.exchange.status(204);
    talk.exchange.field("Allow", "GET, HEAD, OPTIONS");
    talk.exchange.send("");
    answer_unrouted(204);
  } else if (const Router::Match match = context_.router.find(target.path); match.instance == nullptr) {
    answer_unrouted(404);
  } else if (match.needs_slash) {
    std::string location(match.mount);
    if (!target.query.empty()) location.append("?").append(target.query);
    talk.exchange.field("Location", location);
    answer_unrouted(301);
  } else {
    talk.exchange.route(InstanceRef(match.instance), target.path.substr(match.mount.size()), match.mount,
                        target.query);
    transition(Event::routed);
  }
  return Step::go_on;
}

void Connection::answer_unrouted(std::uint32_t status) {
  conversation_->handled = true;
  if (conversation_->exchange.stage() == HttpExchange::Stage::open) conversation_->exchange.fail(status);
  transition(Event::unrouted);
}

Connection::Step Connection::prepare() {
  Conversation& talk = *conversation_;
  HttpExchange& exchange = talk.exchange;
  if (!talk.handled) {
    talk.handled = true;
    exchange.handle();
    if (exchange.stage() == HttpExchange::Stage::deferred) transition(Event::deferred);
  } else if (woken_ && exchange.stage() == HttpExchange::Stage::deferred) {
    woken_ = false;
    exchange.body().wake();
    transition(Event::resumed);
    exchange.resume_task();
  }
  owe_continue();
  if (exchange.stage() == HttpExchange::Stage::answered) return begin_answer();
  if (!move_request_body()) return lose();
  if (exchange.body().state() == RequestBody::State::refused) {
    exchange.answer_for_handler(exchange.body().reader_failed() ? 500 : 400);
    return begin_answer();
  }
  return wait_for(exchange.body().wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
}

bool Connection::may_keep() const {
  const Conversation& talk = *conversation_;
  if (linger_ || context_.draining || !talk.parser.head().keep_alive) return false;
  RequestBody& body = conversation_->exchange.body();
  if (body.finished() || body.has_reader()) return body.state() != RequestBody::State::refused;
  // Nobody takes the body: keep on only when it is certain to come, and short enough to be thrown away.
  const std::uint64_t size = talk.exchange.request().body_size;
  return body.state() == RequestBody::State::wanted && !body.expects_continue() &&
         (size == kUnknownSize || size <= context_.limits.drain_bytes_max);
}

Connection::Step Connection::begin_answer() {
  Conversation& talk = *conversation_;
  HttpExchange& exchange = talk.exchange;
  ResponseHead head;
  head.status = exchange.answer().status;
  head.request_version = exchange.version();
  head.size = exchange.answer().size;
  head.head_only = exchange.is_head();
  head.fields = exchange.field_lines();
  if (talk.output.room() < response_head_size_max(head)) {
    const Io io = flush();
    if (io == Io::lost) return lose();
    if (talk.output.room() < response_head_size_max(head)) return wait_for(WaitingFor::socket_room);
  }
  head.date = context_.date.now();
  const Framing framing = framing_of(head);
  talk.keep = may_keep() && framing != Framing::close;
  head.keep_alive = talk.keep;
  talk.framing = BodyFraming{framing, framing == Framing::length ? head.size : kUnknownSize};
  write_response_head(head, talk.output);
  context_.stats.requests.add();
  context_.stats.answers_by_class[head.status / 100].add();
  transition(Event::answered);
  return Step::go_on;
}

Connection::Step Connection::transmit() {
  Conversation& talk = *conversation_;
  if (woken_) {
    woken_ = false;
    if (talk.parked) transition(Event::resumed);
    talk.parked = false;
    talk.exchange.body().wake();
  }
  if (!talk.sent) {
    // A reader may be what the answer waits for, and the answer what the reader waits for.
    RequestBody& body = talk.exchange.body();
    if (body.has_reader() && !move_request_body()) return lose();
    // An answer made of a request that turns out to be broken is broken, too.
    if (body.state() == RequestBody::State::refused && talk.exchange.answer().body != nullptr) return lose();
    if (!talk.parked) {
      if (pump_answer() == Step::wait) return Step::wait;
      if (state_ != State::transmitting) return Step::go_on;
    }
    if (!talk.sent) return wait_for(body.wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
  }
  return finish_request_body();
}

Connection::Step Connection::pump_answer() {
  Conversation& talk = *conversation_;
  Answer& answer = talk.exchange.answer();
  BodySink sink(talk.output, transport_, talk.framing, budget_);
  Progress progress = Progress::done;
  if (!talk.content_done && talk.framing.kind != Framing::none) {
    if (answer.body != nullptr) {
      progress = talk.exchange.pump(sink);
    } else {
      const Bytes piece(answer.content.substr(talk.content_sent));
      const Moved moved = sink.write(&piece, 1);
      talk.content_sent += moved.size;
      progress = talk.content_sent == answer.content.size() ? Progress::done : Progress::more;
    }
  }
  context_.stats.bytes_sent.add(sink.moved());
  progressed_ = progressed_ || sink.moved() > 0;
  if (talk.framing.overrun) return fail_answer("it wrote more than it had declared");
  if (sink.lost()) return lose();
  if (progress == Progress::failed) return fail_answer("");
  if (progress == Progress::done) {
    talk.content_done = true;
    if (talk.framing.kind == Framing::length && talk.framing.remaining > 0) {
      return fail_answer("it wrote less than it had declared");
    }
    const Io io = sink.finish();
    if (io == Io::lost) return lose();
    talk.sent = io == Io::ok;
  }
  if (sink.transport_full()) output_ready_ = false;
  if (talk.sent) return Step::go_on;
  if (progress == Progress::parked) {
    talk.parked = true;
    transition(Event::parked);
    return Step::go_on;
  }
  return wait_for(output_ready_ ? WaitingFor::turn : WaitingFor::socket_room);
}

Connection::Step Connection::fail_answer(std::string_view what) {
  if (!what.empty()) conversation_->exchange.report_fault(what);
  return lose();
}

// The answer has left; the rest of the request's body is taken by its reader, or thrown away.
Connection::Step Connection::finish_request_body() {
  Conversation& talk = *conversation_;
  RequestBody& body = talk.exchange.body();
  if (!body.finished()) {
    if (!body.has_reader() && talk.keep) body.drain(context_.limits.drain_bytes_max);
    if (!move_request_body()) return lose();
    if (body.state() == RequestBody::State::flowing) {
      return wait_for(body.paused()  ? WaitingFor::handler
                      : budget_ == 0 ? WaitingFor::turn
                                     : WaitingFor::client_bytes);
    }
    if (!body.finished()) {
      talk.keep = false;
      linger_ = true;
    }
  }
  return finish_exchange();
}

Connection::Step Connection::finish_exchange() {
  Conversation& talk = *conversation_;
  const bool keep = talk.keep;
  serial_ = 0;
  woken_ = false;
  talk.exchange.end();
  talk.next_request();
  context_.loop.deadlines().disarm(*this);
  // Bytes behind the last request would turn the closing into a reset, which may destroy the answer.
  if (!keep && (!talk.input.empty() || input_ready_)) linger_ = true;
  transition(keep ? Event::sent_keeping : Event::sent_closing);
  return Step::go_on;
}

bool Connection::move_request_body() {
  Conversation& talk = *conversation_;
  RequestBody& body = talk.exchange.body();
  while (body.wants_bytes()) {
    talk.input.use(body.consume(talk.parser, talk.exchange.instance(), talk.input.rest()));
    if (!body.wants_bytes()) break;
    if (input_ended_) return false;
    if (budget_ == 0) {
      context_.loop.make_ready(*this);
      break;
    }
    const Io io = receive();
    if (io == Io::lost) return false;
    if (io == Io::full) break;
  }
  return true;
}

void Connection::owe_continue() {
  Conversation& talk = *conversation_;
  if (!talk.exchange.body().owes_continue()) return;
  if (talk.output.room() < kContinue.size()) return;  // the client sends on without it, after a while
  talk.output.append(kContinue);
  talk.exchange.body().continue_sent();
  flush();
}

Connection::Step Connection::terminate() {
  if (!abort_ && conversation_ != nullptr) {
    const Io io = flush();
    if (io == Io::full) return wait_for(WaitingFor::socket_room);
    if (io == Io::ok && linger_ && !linger()) return wait_for(WaitingFor::client_bytes);
  }
  if (abort_) transport_.abort();
  transition(Event::finished);
  return Step::go_on;
}

bool Connection::linger() {
  if (!lingering_) {
    lingering_ = true;
    transport_.finish_sending();
  }
  Input& input = conversation_->input;
  for (int i = 0; i < kLingerReceivesMax; ++i) {
    input.use(input.rest().size());
    input.next_request();
    if (input_ended_) return true;
    const Io io = receive();
    if (io == Io::lost) return true;
    if (io == Io::full) return false;
  }
  context_.loop.make_ready(*this);
  return false;
}

// full: nothing has arrived. ok may mean that the client has ended: input_ended_.
Io Connection::receive() {
  if (!input_ready_) return Io::full;
  bool filled = false;
  const Moved moved = conversation_->input.receive(transport_, filled);
  if (moved.status != Io::ok) {
    input_ready_ = false;
    return moved.status;
  }
  input_ended_ = moved.size == 0;
  // After a short receive nothing is left, and the edge will tell; unless the edge of the end has passed
  // already.
  if (input_ended_ || (!filled && !read_to_end_)) input_ready_ = false;
  progressed_ = true;
  budget_ -= std::min<std::uint64_t>(budget_, moved.size);
  return Io::ok;
}

Io Connection::flush() {
  if (conversation_ == nullptr || conversation_->output.empty()) return Io::ok;
  if (!output_ready_) return Io::full;
  const std::size_t before = conversation_->output.pending().size();
  const Io io = conversation_->output.flush(transport_, false);
  if (conversation_->output.pending().size() < before) progressed_ = true;
  if (io == Io::full) output_ready_ = false;
  return io;
}

Connection::Step Connection::lose() {
  if (conversation_ != nullptr) {
    conversation_->exchange.end();
    conversation_->output.consume(conversation_->output.pending().size());
  }
  serial_ = 0;
  abort_ = true;
  transition(Event::lost);
  return Step::go_on;
}

void Connection::close() {
  context_.loop.deadlines().disarm(*this);
  if (token_ != EventLoop::kNoToken) context_.loop.forget(token_);
  if (conversation_ != nullptr) table_.give_conversation(std::move(conversation_));
  table_.remove(*this);
}

void Connection::rest() {
  Conversation& talk = *conversation_;
  if (!talk.input.empty() || flush() != Io::ok) return;
  table_.give_conversation(std::move(conversation_));
}

ConnectionTable::ConnectionTable(ConnectionContext& context) : context_(context) {}
ConnectionTable::~ConnectionTable() = default;

void ConnectionTable::accept(UniqueFd socket) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index] = std::make_unique<Connection>(context_, *this, index, std::move(socket));
  ++open_;
  context_.stats.connections_accepted.add();
  context_.stats.connections_open.set(open_);
  slots_[index]->start();
}

void ConnectionTable::resume(Ticket ticket) {
  const auto index = static_cast<std::uint32_t>(ticket.value >> 32);
  if (index < slots_.size() && slots_[index] != nullptr)
    slots_[index]->wake(static_cast<std::uint32_t>(ticket.value));
}

void ConnectionTable::close_idle() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] != nullptr) slots_[i]->close_if_idle();
  }
}

void ConnectionTable::close_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] != nullptr && slots_[i]->state() != State::closed) {
      slots_[i]->lose();
      slots_[i]->advance();
    }
  }
}

void ConnectionTable::remove(Connection& connection) {
  const std::uint32_t index = connection.index_;
  free_.push_back(index);
  --open_;
  context_.stats.connections_open.set(open_);
  context_.loop.reap(std::move(slots_[index]));
}

std::unique_ptr<Conversation> ConnectionTable::take_conversation() {
  if (spare_.empty()) return std::make_unique<Conversation>(context_.inputs, context_.outputs, context_.limits);
  std::unique_ptr<Conversation> conversation = std::move(spare_.back());
  spare_.pop_back();
  return conversation;
}

void ConnectionTable::give_conversation(std::unique_ptr<Conversation> conversation) {
  constexpr std::size_t kSpareMax = 256;
  conversation->exchange.end();
  if (spare_.size() >= kSpareMax) return;
  conversation->output.consume(conversation->output.pending().size());
  conversation->output.release();
  conversation->input.release();
  conversation->next_request();
  spare_.push_back(std::move(conversation));
}

}  // namespace sluice
