// One step for each state of a connection, in the order in which a request meets them.
#include <algorithm>

#include "base/percent_encoding.h"
#include "connection/connection.h"
#include "connection/http1_session.h"
#include "http/target_path.h"

namespace sluice {
namespace {

// What applies where no mount says otherwise.
constexpr std::string_view kAllow = "GET, HEAD, OPTIONS";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// When a client may ask again for what a switched-off module would answer.
constexpr std::string_view kClosedRetrySeconds = "30";
// Receives of one connection in one turn while its leftovers are thrown away.
constexpr int kLingerReceivesMax = 8;

}  // namespace

Connection::Step Connection::establish() {
  transition(Event::opened);
  return Step::go_on;
}

Connection::Step Connection::parse() {
  if (session_ == nullptr) {
    if (!input_ready_) return wait_for(WaitingFor::client_bytes);
    session_ = table_.take_session();
  }
  Http1Session& session = *session_;
  if (requests_left_ == 0 || budget_ == 0) return wait_for(WaitingFor::turn);
  if (requests_left_ < kTurnRequestsMax && !session.input.empty() && context_.loop.slice_is_over())
    return wait_for(WaitingFor::turn);
  for (;;) {
    if (!session.input.empty()) {
      const RequestParser::HeadResult result = session.parser.parse_head(session.input.head());
      if (result.outcome == RequestParser::Outcome::refused) return refuse(result.status);
      if (result.outcome == RequestParser::Outcome::complete) {
        session.input.head_ends(result.size);
        context_.loop.deadlines().disarm(*this);
        transition(Event::head_complete);
        return Step::go_on;
      }
    }
    // A client that does not take its answers is not asked for more.
    if (!output_ready_ && !session.output.empty()) return wait_for(WaitingFor::socket_room);
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
  Http1Session& session = *session_;
  RequestHead head;
  if (session.parser.asks_for_head(session.input.head())) head.method = Method::head;
  linger_ = true;
  session.handled = true;
  session.exchange.begin(head, session.input.arrived_ns(), *this);
  if (status == 405) session.exchange.field("Allow", kAllow);
  session.exchange.fail(status);
  transition(Event::head_refused);
  return Step::go_on;
}

Connection::Step Connection::identify() {
  Http1Session& session = *session_;
  const RequestHead& head = session.parser.head();
  --requests_left_;
  served_ = true;
  serial_ = table_.next_serial();
  session.exchange.begin(head, session.input.arrived_ns(), *this);
  const TargetPath target = judge_target(head.method, head.target, session.path);
  if (target.status != 200) {
    answer_unrouted(target.status);
  } else if (target.path == "*") {
    session.exchange.status(204);
    session.exchange.field("Allow", kAllow);
    session.exchange.send("");
    answer_unrouted(204);
  } else if (const Router::Match match = context_.router.find(target.path); match.closed) {
    session.exchange.field("Retry-After", kClosedRetrySeconds);
    answer_unrouted(503);
  } else if (match.instance == nullptr) {
    answer_unrouted(404);
  } else if (match.needs_slash) {
    std::string location;
    append_encoded(location, match.mount);
    if (!target.query.empty()) location.append("?").append(target.query);
    // A query that fits no head of an answer belongs to a target that is too long.
    answer_unrouted(session.exchange.field("Location", location) ? 301 : 414);
  } else {
    session.exchange.route(InstanceRef(match.instance), target.path.substr(match.mount.size()), match.mount,
                           target.query);
    transition(Event::routed);
  }
  return Step::go_on;
}

void Connection::answer_unrouted(std::uint32_t status) {
  session_->handled = true;
  if (session_->exchange.stage() == HttpExchange::Stage::open) session_->exchange.fail(status);
  transition(Event::unrouted);
}

Connection::Step Connection::prepare() {
  Http1Session& session = *session_;
  HttpExchange& exchange = session.exchange;
  if (!session.handled) {
    session.handled = true;
    session.handled_ns = context_.loop.now_ns();
    exchange.handle();
    if (exchange.stage() == HttpExchange::Stage::deferred) transition(Event::deferred);
  } else if (woken_ && exchange.stage() == HttpExchange::Stage::deferred) {
    woken_ = false;
    exchange.body().wake();
    transition(Event::resumed);
    exchange.resume_task();
  }
  owe_continue();
  if (exchange.stage() == HttpExchange::Stage::answered) return drain_before_answer();
  if (!move_request_body()) return lose();
  if (exchange.stage() == HttpExchange::Stage::answered) return drain_before_answer();  // by its reader
  if (exchange.body().state() == RequestBody::State::refused) {
    exchange.answer_for_handler(exchange.body().refused_status());
    return begin_answer();
  }
  return wait_for(exchange.body().wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
}

// A body that nobody takes is thrown away first: an answer is about a request that came whole, and what follows
// it is the next one for certain. One that is too long, or may never come, ends the connection instead.
Connection::Step Connection::drain_before_answer() {
  HttpExchange& exchange = session_->exchange;
  RequestBody& body = exchange.body();
  const std::uint64_t size = exchange.request().body_size;
  if (body.state() == RequestBody::State::wanted && !body.has_reader() && !body.expects_continue() &&
      (size == kUnknownSize || size <= context_.limits.drain_bytes_max)) {
    body.drain(context_.limits.drain_bytes_max);
  }
  if (body.draining()) {
    if (!move_request_body()) return lose();
    if (body.wants_bytes()) return wait_for(budget_ == 0 ? WaitingFor::turn : WaitingFor::client_bytes);
    // What went wrong on this side is still what has to be told.
    if (body.refused_status() != 0 && exchange.answer().status < 500) {
      exchange.replace_answer(body.refused_status());
    }
  }
  return begin_answer();
}

bool Connection::may_keep() const {
  if (linger_ || context_.draining || !session_->parser.head().keep_alive) return false;
  const RequestBody& body = session_->exchange.body();
  return body.finished() || (body.has_reader() && body.state() != RequestBody::State::refused);
}

Connection::Step Connection::begin_answer() {
  Http1Session& session = *session_;
  HttpExchange& exchange = session.exchange;
  ResponseHead head;
  head.status = exchange.answer().status;
  head.request_version = exchange.version();
  head.size = exchange.answer().size;
  head.head_only = exchange.is_head();
  head.fields = exchange.field_lines();
  if (session.output.room() < response_head_size_max(head)) {
    const Io io = flush();
    if (io == Io::lost) return lose_client();
    if (session.output.room() < response_head_size_max(head)) return wait_for(WaitingFor::socket_room);
  }
  head.date = context_.date.now();
  const Framing framing = framing_of(head);
  session.keep = may_keep() && framing != Framing::close;
  head.keep_alive = session.keep;
  session.framing = BodyFraming{framing, framing == Framing::length ? head.size : kUnknownSize};
  session.head_position = session.output.position();
  write_response_head(head, session.output);
  context_.stats.requests.add();
  context_.stats.answers_by_class[head.status / 100].add();
  transition(Event::answered);
  return Step::go_on;
}

Connection::Step Connection::transmit() {
  Http1Session& session = *session_;
  if (woken_) {
    woken_ = false;
    if (session.parked) transition(Event::resumed);
    session.parked = false;
    session.exchange.body().wake();
  }
  if (!session.sent) {
    // A reader may be what the answer waits for, and the answer what the reader waits for.
    RequestBody& body = session.exchange.body();
    if (body.has_reader() && !move_request_body()) return lose();
    // An answer made of a request that turns out to be broken is broken, too.
    if (body.has_reader() && body.state() == RequestBody::State::refused &&
        session.exchange.answer().body != nullptr)
      return lose();
    if (!session.parked) {
      if (pump_answer() == Step::wait) return Step::wait;
      if (state_ != State::transmitting) return Step::go_on;
    }
    if (!session.sent) return wait_for(body.wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
  }
  return finish_request_body();
}

Connection::Step Connection::pump_answer() {
  Http1Session& session = *session_;
  Answer& answer = session.exchange.answer();
  BodySink sink(session.output, transport_, session.framing, budget_);
  Progress progress = Progress::done;
  if (!session.content_done && session.framing.kind != Framing::none) {
    if (answer.body != nullptr) {
      // A head does not leave alone: it is taken back when its body fails before it has written.
      if (session.output.has_sent(session.head_position) && context_.loop.slice_is_over())
        return wait_for(WaitingFor::turn);
      progress = session.exchange.pump(sink);
    } else {
      const Bytes piece(answer.content.substr(session.content_sent));
      const Moved moved = sink.write(&piece, 1);
      session.content_sent += moved.size;
      progress = session.content_sent == answer.content.size() ? Progress::done : Progress::more;
    }
  }
  context_.stats.bytes_sent.add(sink.moved());
  wrote_ = wrote_ || sink.moved() > 0;
  session.stalled = progress == Progress::more && sink.moved() == 0 && !sink.transport_full() && budget_ > 0;
  if (session.framing.overrun) return break_contract("it wrote more than it had declared");
  if (sink.lost()) return lose_client();
  if (progress == Progress::failed) return fail_answer();
  if (progress == Progress::done) {
    session.content_done = true;
    if (session.framing.kind == Framing::length && session.framing.remaining > 0) {
      return break_contract("it wrote less than it had declared");
    }
    const Io io = sink.finish();
    if (io == Io::lost) return lose_client();
    session.sent = io == Io::ok;
  }
  if (sink.transport_full()) output_ready_ = false;
  if (session.sent) return Step::go_on;
  if (progress == Progress::parked) {
    session.parked = true;
    transition(Event::parked);
    return context_.ending_streams && waits_in_stream() ? close_stream() : Step::go_on;
  }
  return wait_for(output_ready_ ? WaitingFor::turn : WaitingFor::socket_room);
}

// The answer has left; the rest of the request's body is taken by its reader, if there is one.
Connection::Step Connection::finish_request_body() {
  Http1Session& session = *session_;
  RequestBody& body = session.exchange.body();
  if (!body.finished()) {
    if (!move_request_body()) return lose();
    if (body.state() == RequestBody::State::flowing) {
      return wait_for(body.paused()  ? WaitingFor::handler
                      : budget_ == 0 ? WaitingFor::turn
                                     : WaitingFor::client_bytes);
    }
    if (!body.finished()) {
      session.keep = false;
      linger_ = true;
    }
  }
  return finish_exchange();
}

Connection::Step Connection::finish_exchange() {
  Http1Session& session = *session_;
  const bool keep = session.keep;
  if (ModuleInstance* instance = session.exchange.instance())
    instance->count_answer(context_.loop.now_ns() - session.handled_ns);
  serial_ = 0;
  woken_ = false;
  session.exchange.end();
  session.next_request();
  context_.loop.deadlines().disarm(*this);
  // Bytes behind the last request would turn the closing into a reset, which may destroy the answer.
  if (!keep && (!session.input.empty() || input_ready_)) linger_ = true;
  transition(keep ? Event::sent_keeping : Event::sent_closing);
  return Step::go_on;
}

bool Connection::move_request_body() {
  Http1Session& session = *session_;
  RequestBody& body = session.exchange.body();
  body.pace().pause(context_.loop.now_ms());
  const std::uint64_t budget = budget_;
  while (body.wants_bytes()) {
    session.input.use(body.consume(session.parser, session.exchange.instance(), session.input.rest()));
    if (!body.wants_bytes()) break;
    if (input_ended_) {
      body.break_off(400);
      break;
    }
    if (budget_ == 0 || (budget_ < budget && context_.loop.slice_is_over())) {
      context_.loop.make_ready(*this);
      break;
    }
    const Io io = receive();
    if (io == Io::lost) return false;
    if (io == Io::full) {
      const std::uint64_t window_ms = context_.loop.deadlines().duration_ms(DeadlineKind::body);
      if (body.pace().too_slow(window_ms, context_.limits.body_rate_min)) body.break_off(408);
      break;
    }
  }
  return true;
}

void Connection::owe_continue() {
  Http1Session& session = *session_;
  if (!session.exchange.body().owes_continue()) return;
  if (session.output.room() < kContinue.size()) return;  // the client sends on without it, after a while
  session.output.append(kContinue);
  session.exchange.body().continue_sent();
  flush();
}

Connection::Step Connection::terminate() {
  if (!abort_ && session_ != nullptr) {
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
  Input& input = session_->input;
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

}  // namespace sluice
