#include "exchange/stream.h"

#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace sluice {

void Stream::transition(StreamEvent event) {
  const std::optional<StreamState> next = next_state(state_, event);
  if (!next) {
    log(LogLevel::error, "stream: " + std::string(event_name(event)) + " must not happen while " +
                             std::string(state_name(state_)) + "; please report this");
#if !defined(NDEBUG)
    std::abort();
#endif
  }
  state_ = next.value_or(StreamState::ended);
}

void Stream::take_head(const RequestHead& head, std::uint64_t arrived_ns) {
  head_ = &head;
  site_ = nullptr;
  exchange_.begin(head, arrived_ns, carrier_);
  exchange_.tell_decisions(context_.decisions);
  judge_origin();
  transition(StreamEvent::head_complete);
}

Stream::Outcome Stream::advance() {
  const LogScope scope(*this);
  for (;;) {
    const Step step = run_state();
    if (step != Step::go_on) return come_to(step);
  }
}

Stream::Outcome Stream::come_to(Step step, bool is_late) {
  switch (step) {
    case Step::go_on:
    case Step::wait:
      return Outcome::waits;
    case Step::sent:
      return Outcome::sent;
    case Step::closed:
      cut(Ending::closed);
      return Outcome::closed;
    case Step::cut:
      cut(is_late ? Ending::late : Ending::cut);
      return Outcome::cut;
    case Step::stopped:
      cut(Ending::closed);
      return Outcome::cut;
    case Step::lost:
      cut(Ending::client_left);
      return Outcome::cut;
    case Step::client_left:
      break;
  }
  cut(Ending::client_left);
  return Outcome::client_left;
}

Stream::Step Stream::run_state() {
  switch (state_) {
    case StreamState::identifying:
      return identify();
    case StreamState::preparing:
      return prepare();
    case StreamState::transmitting:
      return transmit();
    case StreamState::parsing:
    case StreamState::ended:
      break;
  }
  return Step::cut;
}

Stream::Step Stream::wait_for(WaitingFor what) {
  waiting_for_ = what;
  return Step::wait;
}

Stream::Step Stream::prepare() {
  exchange_.wake_reader();
  if (!handled_) {
    handled_ = true;
    handled_ns_ = context_.loop.now_ns();
    ask();
  } else if (exchange_.stage() == HttpExchange::Stage::deferred && exchange_.take_task_woken()) {
    transition(StreamEvent::resumed);
    exchange_.resume_task();
    exchange_.explain_stage();
    if (exchange_.stage() != HttpExchange::Stage::deferred) ask();
  }
  owe_continue();
  RequestBody& body = exchange_.body();
  if (exchange_.stage() == HttpExchange::Stage::answered) return drain_before_answer();
  if (!carrier_.fetch_body(body)) return Step::lost;
  if (exchange_.stage() != HttpExchange::Stage::deferred)
    ask();  // the reader has answered, or lets others answer
  if (exchange_.stage() == HttpExchange::Stage::answered) return drain_before_answer();
  if (body.state() == RequestBody::State::refused) {
    exchange_.answer_for_handler(body.refusal());
    return begin_answer();
  }
  return wait_for(body.wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
}

void Stream::owe_continue() {
  RequestBody& body = exchange_.body();
  if (body.owes_continue() && carrier_.send_continue()) body.continue_sent();
}

// A body that nobody takes is discarded before the answer. The answer then is for a whole request, and the
// bytes behind the body begin the next one. For a body that is too long, or may never come, the connection
// closes instead.
Stream::Step Stream::drain_before_answer() {
  constexpr Refusal kNoSuchProtocol = {501, "Nobody speaks this protocol at this address."};
  if (exchange_.is_false_success()) exchange_.replace_answer(kNoSuchProtocol);
  RequestBody& body = exchange_.body();
  const std::uint64_t size = exchange_.request().body_size;
  // What follows a CONNECT waits for the answer.
  if (exchange_.request().method == Method::connect) return begin_answer();
  if (body.state() == RequestBody::State::wanted && !body.has_reader() && !body.expects_continue() &&
      (size == kUnknownSize || size <= context_.limits.drain_bytes_max)) {
    body.drain(context_.limits.drain_bytes_max);
  }
  if (body.draining()) {
    if (!carrier_.fetch_body(body)) return Step::lost;
    if (body.wants_bytes())
      return wait_for(carrier_.share_is_used_up() ? WaitingFor::turn : WaitingFor::client_bytes);
    // The body was refused while it was drained. The answer says so, unless it reports an error of the server.
    if (body.refusal() && exchange_.answer().status < 500) exchange_.replace_answer(body.refusal());
  }
  return begin_answer();
}

Stream::Step Stream::begin_answer() {
  if (exchange_.has_filters()) exchange_.filter_answer();
  ResponseHead head;
  head.status = exchange_.answer().status;
  head.request_version = exchange_.version();
  head.size = exchange_.answer().size;
  head.head_only = exchange_.is_head();
  head.fields = exchange_.field_lines();
  head.upgrade = exchange_.answer().upgrade;
  head.required_upgrade = exchange_.required_upgrade();
  head.hides_server = exchange_.answer().hides_server;
  if (site_ != nullptr && secure_) head.site_fields = site_->secure_fields;
  const RequestBody& body = exchange_.body();
  const bool goes_on = body.finished() || (body.has_reader() && body.state() != RequestBody::State::refused);
  const Io io = carrier_.begin_answer(head, goes_on, framing_);
  if (io == Io::lost) return Step::client_left;
  if (io == Io::full) return wait_for(WaitingFor::socket_room);
  context_.stats.requests.add();
  context_.stats.answers_by_class[head.status / 100].add();
  if (site_ != nullptr) context_.stats.site(site_index_).answers_by_class[head.status / 100].add();
  transition(StreamEvent::answered);
  return Step::go_on;
}

Stream::Step Stream::transmit() {
  exchange_.wake_reader();
  RequestBody& body = exchange_.body();
  if (exchange_.take_content_woken()) {
    if (parked_) transition(StreamEvent::resumed);
    parked_ = false;
  }
  if (sent_) return finish_request_body();
  // The reader goes first: the answer may wait for it.
  if (body.has_reader() && !carrier_.fetch_body(body)) return Step::lost;
  // A body of the answer may be made from the request's body, so it is cut if that one is refused.
  if (body.has_reader() && body.state() == RequestBody::State::refused && exchange_.answer().is_pumped())
    return Step::cut;
  if (!parked_) {
    const Step step = pump_answer();
    if (step != Step::go_on || state_ != StreamState::transmitting) return step;
  }
  if (!sent_) return wait_for(body.wants_bytes() ? WaitingFor::client_bytes : WaitingFor::handler);
  return finish_request_body();
}

Stream::Step Stream::pump_answer() {
  const bool has_content = !content_done_ && framing_.kind != Framing::none;
  // The body is called at least once before a head leaves: if it fails then, the answer is replaced.
  if (has_content && exchange_.answer().is_pumped() && !carrier_.can_take_back_answer() &&
      !exchange_.body().is_tunnel() && context_.loop.slice_is_over())
    return wait_for(WaitingFor::turn);
  AnswerSink& sink = carrier_.open_sink(framing_);
  const Progress progress = has_content ? pump_content(sink) : Progress::done;
  context_.stats.bytes_sent.add(sink.moved());
  content_moved_ += sink.moved();
  send_pace_.came(sink.moved());
  if (site_ != nullptr) context_.stats.site(site_index_).bytes_sent.add(sink.moved());
  wrote_ = wrote_ || sink.moved() > 0;
  stalled_ = progress == Progress::more && sink.moved() == 0 && !sink.is_full() && !carrier_.share_is_used_up();
  const Step step = judge_progress(sink, progress);
  carrier_.close_sink();
  if (step != Step::wait) return step;
  return wait_for(carrier_.output_is_full() ? WaitingFor::socket_room : WaitingFor::turn);
}

Progress Stream::pump_content(AnswerSink& sink) {
  Answer& answer = exchange_.answer();
  if (answer.is_pumped()) return exchange_.pump(sink);
  const Bytes piece(answer.content.substr(content_sent_));
  content_sent_ += sink.write(&piece, 1).size;
  return content_sent_ == answer.content.size() ? Progress::done : Progress::more;
}

Stream::Step Stream::judge_progress(AnswerSink& sink, Progress progress) {
  if (framing_.overrun) return break_contract("it wrote more than it had declared");
  if (sink.is_lost()) return Step::client_left;
  if (progress == Progress::failed) return replace_answer();
  if (progress == Progress::done) {
    content_done_ = true;
    if (framing_.kind == Framing::length && framing_.remaining > 0)
      return break_contract("it wrote less than it had declared");
    const Io io = sink.finish();
    if (io == Io::lost) return Step::client_left;
    sent_ = io == Io::ok;
  }
  if (sent_) return Step::go_on;
  if (progress == Progress::parked) {
    parked_ = true;
    transition(StreamEvent::parked);
    return context_.ending_streams && waits_endlessly() ? end_endless() : Step::go_on;
  }
  return Step::wait;
}

// The body has failed. If nothing of the answer was sent, an error page replaces it; otherwise the answer is
// cut.
Stream::Step Stream::replace_answer() {
  if (!carrier_.can_take_back_answer()) return Step::cut;
  carrier_.take_back_answer();
  content_moved_ = 0;
  context_.stats.requests.subtract();
  context_.stats.answers_by_class[exchange_.answer().status / 100].subtract();
  if (site_ != nullptr)
    context_.stats.site(site_index_).answers_by_class[exchange_.answer().status / 100].subtract();
  transition(StreamEvent::replaced);
  exchange_.replace_answer(exchange_.failure());
  return Step::go_on;
}

Stream::Step Stream::break_contract(std::string_view what) {
  exchange_.report_content_fault(what);
  return Step::cut;
}

// The answer was sent. The reader, if there is one, takes the rest of the request's body. But a tunnel ends
// with either side.
Stream::Step Stream::finish_request_body() {
  RequestBody& body = exchange_.body();
  if (body.finished() || body.is_tunnel()) return finish();
  if (!carrier_.fetch_body(body)) return Step::lost;
  if (body.state() != RequestBody::State::flowing) return finish();
  if (body.paused()) return wait_for(WaitingFor::handler);
  return wait_for(carrier_.share_is_used_up() ? WaitingFor::turn : WaitingFor::client_bytes);
}

Stream::Step Stream::finish() {
  const bool request_taken = exchange_.body().finished();
  if (ModuleInstance* instance = exchange_.instance())
    instance->count_answer(context_.loop.now_ns() - handled_ns_);
  tell_end(Ending::complete);
  exchange_.end();
  disarm();
  transition(carrier_.end_answer(request_taken) ? StreamEvent::sent_keeping : StreamEvent::sent_closing);
  forget_request();
  return Step::sent;
}

}  // namespace sluice
