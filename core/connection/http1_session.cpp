#include "connection/http1_session.h"

#include <algorithm>
#include <utility>

#include "base/out_of_memory.h"
#include "connection/http1_head.h"

namespace sluice {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kEarlyHints = "HTTP/1.1 103 Early Hints\r\n";
constexpr std::string_view kHeadEnd = "\r\n";

}  // namespace

Http1Session::Http1Session(const ConnectionContext& context)
    : Session(context.inputs, context.outputs),
      context_(context),
      parser_(context.limits),
      stream_(context, *this) {}

void Http1Session::attach(Channel& channel, SessionHost& host) {
  channel_ = &channel;
  host_ = &host;
  may_be_http2_ = channel.address().http2_clear && !is_secure();
}

void Http1Session::reset() {
  if (stream_.is_at_work()) stream_.cut();
  stream_.reuse();
  output_.consume(output_.pending().size());
  output_.release();
  input_.release();
  next_request();
  parser_.rest();
  plain_ = {};
  served_ = lingers_ = keep_ = false;
  channel_ = nullptr;
  host_ = nullptr;
}

Session::Next Http1Session::wait_for(WaitingFor what) {
  waiting_for_ = what;
  return Next::wait;
}

Session::Next Http1Session::advance() {
  for (;;) {
    if (stream_.state() == StreamState::ended) return Next::cut;
    if (!stream_.is_at_work()) {
      if (const std::optional<Next> next = parse()) return *next;
    }
    const Stream::Outcome outcome = stream_.advance();
    if (outcome != Stream::Outcome::sent) return come_to(outcome);
    if (stream_.state() == StreamState::ended) return Next::end;
  }
}

Session::Next Http1Session::come_to(Stream::Outcome outcome) {
  switch (outcome) {
    case Stream::Outcome::waits:
      if (upgraded_ && channel_->transport().is_worn() && stream_.waits_endlessly()) return close_endless();
      return wait_for(stream_.waiting_for());
    case Stream::Outcome::sent:
      return Next::end;
    case Stream::Outcome::closed:
      lingers_ = upgraded_ || !input_.empty() || channel_->input_ready();
      return Next::end;
    case Stream::Outcome::cut:
      return Next::cut;
    case Stream::Outcome::client_left:
      break;
  }
  return Next::leave;
}

std::optional<Session::Next> Http1Session::parse() {
  if (requests_left_ == 0 || channel_->budget() == 0) return wait_for(WaitingFor::turn);
  if (requests_left_ < kTurnRequestsMax && !input_.empty() && context_.loop.slice_is_over())
    return wait_for(WaitingFor::turn);
  for (;;) {
    if (may_be_http2_ && begins_http2()) {
      if (input_.head().size() >= kHttp2Preface.size()) return Next::http2;
    } else if (!input_.empty()) {
      const RequestParser::HeadResult result = parser_.parse_head(input_.head());
      if (result.outcome == RequestParser::Outcome::refused) {
        refuse(input_.head(), input_.arrived_ns(), result.refusal);
        return std::nullopt;
      }
      if (result.outcome == RequestParser::Outcome::complete) {
        // What follows an upgrade has no known size.
        const std::uint64_t body_size =
            parser_.head().upgrade.empty() ? parser_.head().body_size : kUnknownSize;
        if (body_size > 0 && input_.make_room_for_body(result.size, body_size)) {
          parser_.start();
          parser_.parse_head(input_.head());
        }
        input_.head_ends(result.size);
        take_request();
        return std::nullopt;
      }
    }
    // No more requests are read from a client that does not take its answers.
    if (!channel_->output_ready() && !output_.empty()) return wait_for(WaitingFor::socket_room);
    const Io io = channel_->input_ended() ? Io::ok : channel_->receive(input_);
    if (channel_->input_ended()) {
      note_cut_head(Ending::client_left);
      return Next::end;
    }
    if (io == Io::lost) return Next::cut;
    if (io == Io::full) {
      if (input_.empty() && channel_->flush(output_) == Io::ok) return Next::idle;
      return wait_for(WaitingFor::client_bytes);
    }
  }
}

// The preface of HTTP/2 is made such that no request of HTTP/1 begins with it (RFC 9113 section 3.4).
bool Http1Session::begins_http2() const {
  return !input_.empty() && kHttp2Preface.starts_with(input_.head().substr(0, kHttp2Preface.size()));
}

void Http1Session::take_request() {
  may_be_http2_ = false;
  --requests_left_;
  served_ = true;
  ticket_ = host_->begin_request();
  body_framed_ = parser_.head().body_size == 0;
  stream_.take_head(parser_.head(), input_.arrived_ns());
}

// The head is invalid, or did not come in time. Where the next request begins is not known, so the connection
// closes.
void Http1Session::refuse(std::string_view bytes, std::uint64_t arrived_ns, const Refusal& refusal) {
  parser_.describe_refused(bytes, refused_);
  ticket_ = host_->begin_request();
  lingers_ = true;
  stream_.refuse_head(refused_, arrived_ns, refusal);
}

void Http1Session::note_cut_head(Ending ending) {
  if (stream_.state() != StreamState::parsing || parser_.at_start()) return;
  unless_out_of_memory("memory is used up: a broken request is not logged", [&] {
    parser_.describe_refused(input_.head(), refused_);
    ticket_ = host_->begin_request();
    stream_.cut_head(refused_, input_.arrived_ns(), ending);
  });
}

void Http1Session::refuse_plain_http(std::string said) {
  plain_ = std::move(said);
  parser_.parse_head(plain_);
  refuse(plain_, context_.loop.now_ns(),
         {400, "TLS is spoken here: write https:// in place of http:// in the address."});
}

Session::Next Http1Session::refuse_late_head() {
  if (parser_.at_start()) return Next::end;
  refuse(input_.head(), input_.arrived_ns(), {408, "The head did not come in time."});
  return Next::wait;
}

bool Http1Session::fetch_body(RequestBody& body) {
  body.pace().pause(context_.loop.now_ms());
  std::uint64_t& budget = channel_->budget();
  const std::uint64_t share = budget;
  // Both directions of a tunnel go on in each turn.
  const std::uint64_t kept = body.is_tunnel() ? share / 2 : 0;
  for (;;) {
    offer_body(body);
    if (!body.wants_bytes()) return true;
    if (channel_->input_ended()) {
      if (body.is_tunnel()) {
        body.finish();
      } else {
        body.break_off({400, "The body ended before it was complete."});
      }
      return true;
    }
    if (budget <= kept || (budget < share && context_.loop.slice_is_over())) {
      host_->run_again();
      return true;
    }
    // A tunnel's reader pauses when it has too much, whether or not the client takes what it is sent.
    const Io io = body.is_tunnel() ? channel_->receive_anyway(input_) : channel_->receive(input_);
    if (io == Io::lost) return false;
    if (io == Io::full) {
      const std::uint64_t window_ms = context_.loop.deadlines().duration_ms(DeadlineKind::body);
      if (!body.is_tunnel() && body.pace().too_slow(window_ms, context_.limits.body_rate_min))
        body.break_off(kSlowBody);
      return true;
    }
  }
}

// Offers content until the body wants no more, or more bytes are needed.
void Http1Session::offer_body(RequestBody& body) {
  while (body.wants_bytes()) {
    if (body.is_tunnel()) {
      if (input_.empty()) return;
      input_.use(body.offer(input_.rest()));
    } else if (!piece_.empty()) {
      piece_.remove_prefix(body.offer(piece_));
    } else if (body_framed_) {
      body.finish();
    } else if (input_.empty() || !parse_body(body)) {
      return;
    }
  }
}

bool Http1Session::parse_body(RequestBody& body) {
  body.begin_to_come();
  const RequestParser::BodyResult result = parser_.parse_body(input_.rest());
  if (result.outcome == RequestParser::Outcome::refused) body.break_off(result.refusal);
  input_.use(result.used);
  piece_ = result.piece;
  body.pace().came(piece_.size());
  body_framed_ = result.outcome == RequestParser::Outcome::complete;
  return result.used > 0 || body_framed_;
}

bool Http1Session::send_continue() {
  if (output_.room() < kContinue.size()) return false;  // after a while, clients send without it
  output_.append(kContinue);
  channel_->flush(output_);
  return true;
}

bool Http1Session::send_early_hints(std::string_view lines) {
  if (output_.room() < kEarlyHints.size() + lines.size() + kHeadEnd.size()) return false;
  output_.append(kEarlyHints);
  output_.append(lines);
  output_.append(kHeadEnd);
  return channel_->flush(output_) != Io::lost;
}

Io Http1Session::begin_answer(ResponseHead& head, bool goes_on, BodyFraming& framing) {
  if (output_.room() < response_head_size_max(head)) {
    if (channel_->flush(output_) == Io::lost) return Io::lost;
    if (output_.room() < response_head_size_max(head)) return Io::full;
  }
  head.date = context_.date.now();
  framing.kind = framing_of(head);
  framing.remaining = framing.kind == Framing::length ? head.size : kUnknownSize;
  framing.overrun = false;
  framing.trailers.clear();
  upgraded_ = !head.upgrade.empty();
  keep_ = goes_on && !lingers_ && !context_.draining && parser_.head().keep_alive &&
          framing.kind != Framing::close && !channel_->transport().is_worn();
  head.keep_alive = keep_;
  head_position_ = output_.position();
  write_response_head(head, output_);
  return Io::ok;
}

AnswerSink& Http1Session::open_sink(BodyFraming& framing) {
  return sink_.emplace(output_, channel_->transport(), framing, channel_->budget());
}

void Http1Session::close_sink() {
  if (sink_->is_full()) channel_->output_is_full();
  sink_.reset();
}

bool Http1Session::end_answer(bool request_taken) {
  if (!request_taken) {
    keep_ = false;
    lingers_ = true;
  }
  next_request();
  // Closing with unread bytes would reset the connection, which may destroy the answer on its way.
  if (!keep_ && (!input_.empty() || channel_->input_ready())) lingers_ = true;
  return keep_;
}

void Http1Session::next_request() {
  input_.next_request();
  parser_.start();
  piece_ = {};
  ticket_ = {};
  head_position_ = 0;
  upgraded_ = false;
}

bool Http1Session::wake(Ticket ticket, const ModuleInstance& by) {
  return ticket_.value != 0 && ticket.value == ticket_.value && stream_.wake(by);
}

Session::Next Http1Session::close_endless() {
  return stream_.waits_endlessly() ? come_to(stream_.close_endless()) : Next::wait;
}

void Http1Session::cut(Ending ending) {
  note_cut_head(ending);
  stream_.cut(ending);
  ticket_ = {};
  output_.consume(output_.pending().size());
}

}  // namespace sluice
