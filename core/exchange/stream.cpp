#include "exchange/stream.h"

#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/percent_encoding.h"
#include "http/authority.h"

namespace sluice {
namespace {

// The methods at targets without a handler.
constexpr std::string_view kAllow = "GET, HEAD, OPTIONS";
// Who signs certificates looks here whether the name is ours (RFC 8555 section 8.3).
constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";
// Retry-After of requests for a module that is switched off.
constexpr std::string_view kClosedRetrySeconds = "30";

}  // namespace

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
  transition(StreamEvent::head_complete);
}

void Stream::refuse_head(const RequestHead& head, std::uint64_t arrived_ns, const Refusal& refusal) {
  handled_ = true;
  site_ = nullptr;
  exchange_.begin(head, arrived_ns, carrier_);
  if (refusal.status == 405) exchange_.field("Allow", kAllow);
  exchange_.refuse(refusal);
  transition(StreamEvent::head_refused);
}

Stream::Outcome Stream::advance() {
  for (;;) {
    const Step step = run_state();
    if (step != Step::go_on) return come_to(step);
  }
}

Stream::Outcome Stream::come_to(Step step) {
  switch (step) {
    case Step::go_on:
    case Step::wait:
      return Outcome::waits;
    case Step::sent:
      return Outcome::sent;
    case Step::closed:
      cut();
      return Outcome::closed;
    case Step::cut:
      cut();
      return Outcome::cut;
    case Step::client_left:
      break;
  }
  cut();
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

Stream::Step Stream::identify() {
  const TargetPath target = judge_target(head_->method, head_->target, carrier_.is_secure(), path_);
  const Refusal stray = find_site(target.authority);
  if (target.refusal || stray) {
    answer_unrouted(target.refusal ? target.refusal : stray);
  } else if (target.path == "*") {
    exchange_.status(204);
    exchange_.field("Allow", kAllow);
    exchange_.send("");
    answer_unrouted({});
  } else if (site_->settings.redirect == Redirect::https && carrier_.may_redirect() &&
             !target.path.starts_with(kChallenges)) {
    send_to_https(target.authority);
  } else {
    route(target);
  }
  return Step::go_on;
}

// An absolute target's authority takes the place of the Host field (RFC 9112 section 3.2.2).
Refusal Stream::find_site(std::string_view authority) {
  Refusal refusal;
  site_index_ = carrier_.find_site(host_of(authority.empty() ? head_->host : authority), refusal);
  if (site_index_ == SiteNames::kNoSite) return refusal;
  site_ = &context_.sites[site_index_];
  exchange_.use_error_pages(site_->error_pages);
  return {};
}

void Stream::route(const TargetPath& target) {
  const Router::Match match = context_.router.find(site_index_, target.path);
  if (match.closed) {
    exchange_.field("Retry-After", kClosedRetrySeconds);
    return answer_unrouted({503});
  }
  if (match.instance == nullptr) return answer_unrouted({404});
  if (match.needs_slash) {
    std::string location;
    append_encoded(location, match.mount);
    if (!target.query.empty()) location.append("?").append(target.query);
    return redirect(301, location);
  }
  exchange_.route(
      {InstanceRef(match.instance), target.path.substr(match.mount.size()), match.mount, target.query});
  transition(StreamEvent::routed);
}

void Stream::send_to_https(std::string_view authority) {
  const std::string_view host = host_of(authority.empty() ? head_->host : authority);
  if (host.empty())
    return answer_unrouted({400, "The request names no host, under which it could be sent to https."});
  std::string location = "https://";
  location.append(host).append(site_->https_port).append(without_authority(head_->target));
  redirect(308, location);
}

// A location that does not fit into an answer's head means that the target is too long.
void Stream::redirect(std::uint32_t status, const std::string& location) {
  answer_unrouted({exchange_.field("Location", location) ? status : 414U});
}

void Stream::answer_unrouted(const Refusal& refusal) {
  handled_ = true;
  if (exchange_.stage() == HttpExchange::Stage::open) exchange_.refuse(refusal);
  transition(StreamEvent::unrouted);
}

Stream::Step Stream::prepare() {
  if (!handled_) {
    handled_ = true;
    handled_ns_ = context_.loop.now_ns();
    exchange_.handle();
    if (exchange_.stage() == HttpExchange::Stage::deferred) transition(StreamEvent::deferred);
  } else if (woken_ && exchange_.stage() == HttpExchange::Stage::deferred) {
    woken_ = false;
    exchange_.body().wake();
    transition(StreamEvent::resumed);
    exchange_.resume_task();
  }
  owe_continue();
  RequestBody& body = exchange_.body();
  if (exchange_.stage() == HttpExchange::Stage::answered) return drain_before_answer();
  if (!carrier_.fetch_body(body)) return Step::cut;
  if (exchange_.stage() == HttpExchange::Stage::answered) return drain_before_answer();  // the reader answered
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
  RequestBody& body = exchange_.body();
  const std::uint64_t size = exchange_.request().body_size;
  if (body.state() == RequestBody::State::wanted && !body.has_reader() && !body.expects_continue() &&
      (size == kUnknownSize || size <= context_.limits.drain_bytes_max)) {
    body.drain(context_.limits.drain_bytes_max);
  }
  if (body.draining()) {
    if (!carrier_.fetch_body(body)) return Step::cut;
    if (body.wants_bytes())
      return wait_for(carrier_.share_is_used_up() ? WaitingFor::turn : WaitingFor::client_bytes);
    // The body was refused while it was drained. The answer says so, unless it reports an error of the server.
    if (body.refusal() && exchange_.answer().status < 500) exchange_.replace_answer(body.refusal());
  }
  return begin_answer();
}

Stream::Step Stream::begin_answer() {
  ResponseHead head;
  head.status = exchange_.answer().status;
  head.request_version = exchange_.version();
  head.size = exchange_.answer().size;
  head.head_only = exchange_.is_head();
  head.fields = exchange_.field_lines();
  if (site_ != nullptr && carrier_.is_secure()) head.site_fields = site_->secure_fields;
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
  RequestBody& body = exchange_.body();
  if (woken_) {
    woken_ = false;
    if (parked_) transition(StreamEvent::resumed);
    parked_ = false;
    body.wake();
  }
  if (sent_) return finish_request_body();
  // The reader goes first: the answer may wait for it.
  if (body.has_reader() && !carrier_.fetch_body(body)) return Step::cut;
  // A body of the answer may be made from the request's body, so it is cut if that one is refused.
  if (body.has_reader() && body.state() == RequestBody::State::refused && exchange_.answer().body)
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
  if (has_content && exchange_.answer().body && !carrier_.can_take_back_answer() &&
      context_.loop.slice_is_over())
    return wait_for(WaitingFor::turn);
  AnswerSink& sink = carrier_.open_sink(framing_);
  const Progress progress = has_content ? pump_content(sink) : Progress::done;
  context_.stats.bytes_sent.add(sink.moved());
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
  if (answer.body) return exchange_.pump(sink);
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
  context_.stats.requests.subtract();
  context_.stats.answers_by_class[exchange_.answer().status / 100].subtract();
  if (site_ != nullptr)
    context_.stats.site(site_index_).answers_by_class[exchange_.answer().status / 100].subtract();
  transition(StreamEvent::replaced);
  exchange_.replace_answer(exchange_.failure());
  return Step::go_on;
}

Stream::Step Stream::break_contract(std::string_view what) {
  exchange_.report_fault(what);
  return Step::cut;
}

// The answer was sent. The reader, if there is one, takes the rest of the request's body.
Stream::Step Stream::finish_request_body() {
  RequestBody& body = exchange_.body();
  if (body.finished()) return finish();
  if (!carrier_.fetch_body(body)) return Step::cut;
  if (body.state() != RequestBody::State::flowing) return finish();
  if (body.paused()) return wait_for(WaitingFor::handler);
  return wait_for(carrier_.share_is_used_up() ? WaitingFor::turn : WaitingFor::client_bytes);
}

Stream::Step Stream::finish() {
  const bool request_taken = exchange_.body().finished();
  if (ModuleInstance* instance = exchange_.instance())
    instance->count_answer(context_.loop.now_ns() - handled_ns_);
  exchange_.end();
  disarm();
  transition(carrier_.end_answer(request_taken) ? StreamEvent::sent_keeping : StreamEvent::sent_closing);
  forget_request();
  return Step::sent;
}

bool Stream::wake(const ModuleInstance& by) {
  const ModuleInstance* handled_by = exchange_.instance();
  if (handled_by == nullptr || !handled_by->is_of_file(by)) return false;
  woken_ = true;
  return true;
}

}  // namespace sluice
