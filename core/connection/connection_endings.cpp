// How a request ends otherwise than by an answer that was sent: too late, failed, lost, or cut.
#include "base/log.h"
#include "connection/connection.h"
#include "connection/http1_session.h"

namespace sluice {

void Connection::be_late(DeadlineKind kind) {
  if (state_ == State::parsing && (kind == DeadlineKind::keepalive || kind == DeadlineKind::head)) {
    const bool in_head = session_ != nullptr && !session_->parser.at_start();
    if (in_head) {
      refuse(408);
    } else {
      transition(Event::ended);
    }
  } else if (state_ == State::terminating && kind == DeadlineKind::linger) {
    transition(Event::finished);
  } else if (session_ == nullptr) {
    lose();
  } else {
    be_late_with_answer(kind);
  }
}

// A client that has sent its end may have left: then nobody is to blame that nothing comes of its request.
void Connection::be_late_with_answer(DeadlineKind kind) {
  Http1Session& session = *session_;
  const bool handler_late = kind == DeadlineKind::handler && (!client_has_ended() || session.stalled);
  if (state_ == State::preparing && session.exchange.stage() == HttpExchange::Stage::deferred &&
      (kind == DeadlineKind::handler || kind == DeadlineKind::body)) {
    if (handler_late) session.exchange.report_fault("a deferred answer is overdue");
    return session.exchange.answer_for_handler(kind == DeadlineKind::handler ? 504 : 408);
  }
  if (state_ == State::preparing && kind == DeadlineKind::body) return session.exchange.body().break_off(408);
  if (handler_late) {
    session.exchange.report_fault(
        session.stalled  ? "its body had room and wrote nothing in time: to wait for something, it has to park"
        : session.parked ? "a parked body was not resumed in time"
                         : "a reader that had paused was not resumed in time");
  }
  if (client_has_ended()) {
    lose_client();
  } else {
    lose();
  }
}

// What has left cannot be taken back, and is never padded. Before that, the client is told.
Connection::Step Connection::fail_answer() {
  Http1Session& session = *session_;
  if (!session.output.take_back(session.head_position)) return lose();
  context_.stats.requests.subtract();
  context_.stats.answers_by_class[session.exchange.answer().status / 100].subtract();
  transition(Event::replaced);
  session.exchange.replace_answer(session.exchange.failed_status());
  return Step::go_on;
}

Connection::Step Connection::break_contract(std::string_view what) {
  session_->exchange.report_fault(what);
  return lose();
}

// Nobody knows when such a stream will go on, or end.
bool Connection::waits_in_stream() const {
  return state_ == State::transmitting && session_->parked && session_->framing.remaining == kUnknownSize;
}

// What was written leaves, and the last chunk does not: a client must not take it for the whole. Where only the
// end of the connection ends the content, that takes a reset.
Connection::Step Connection::close_stream() {
  Http1Session& session = *session_;
  if (session.framing.kind == Framing::close) return lose();
  session.exchange.end();
  serial_ = 0;
  linger_ = !session.input.empty() || input_ready_;
  transition(Event::lost);
  return Step::go_on;
}

Connection::Step Connection::lose() {
  if (session_ != nullptr) {
    session_->exchange.end();
    session_->output.consume(session_->output.pending().size());
  }
  serial_ = 0;
  abort_ = true;
  transition(Event::lost);
  return Step::go_on;
}

Connection::Step Connection::lose_client() {
  if (serial_ != 0) log(LogLevel::debug, "a client has left before its answer was complete");
  return lose();
}

}  // namespace sluice
