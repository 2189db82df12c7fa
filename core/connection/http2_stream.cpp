#include "connection/http2_stream.h"

#include <utility>

namespace sluice {
namespace {

// The output has so much room behind an answer's head, for content and for frames of nghttp2's own.
constexpr std::size_t kRoomBehindHead = 2 * 1024;
constexpr std::size_t kContinueRoom = 64;

}  // namespace

void Http2Stream::open(Http2Link& link, std::int32_t id) {
  link_ = &link;
  seen_sent_ = link.content_sent;
  answer_.reset(id);
  fields_.start();
}

void Http2Stream::close() {
  if (armed()) link_->context().loop.deadlines().disarm(*this);
  stream_.reuse();
  content_.clear();
  content_size_ = 0;
  ticket_ = {};
  step_ = Step::waits_for_head;
  tunnel_ = request_ended_ = received_ = window_shut_ = output_full_ = lacks_room_ = false;
  is_closed = is_ready = is_touched = closed_in_order = false;
  priority = {};
  link_ = nullptr;
}

void Http2Stream::head_has_come(bool ends, std::uint64_t arrived_ns) {
  arrived_ns_ = arrived_ns;
  request_ended_ = ends;
  has_body_ = !ends;
  received_ = true;
  step_ = Step::has_head;
}

void Http2Stream::content_has_come(std::string_view content) {
  content_size_ += content.size();
  received_ = true;
  content_.append(content);
  if (tunnel_) need(nghttp2_session_consume_connection(link_->session(), content.size()));
  if (!stream_.is_at_work() && step_ == Step::runs) drop_content();  // the answer has ended
}

// The connection's window stays smaller if there is no memory now, until more content is taken.
void Http2Stream::drop_content() {
  const std::size_t size = content_.rest().size();
  if (size == 0) return;
  content_.use(size);
  if (!tunnel_) static_cast<void>(nghttp2_session_consume_connection(link_->session(), size));
}

Stream::Outcome Http2Stream::advance() {
  window_shut_ = output_full_ = lacks_room_ = false;
  if (step_ == Step::has_head) begin_request();
  return stream_.advance();
}

// Streams that wait for the connection's window get their shares one after the other, which may take long.
Stream::Outcome Http2Stream::be_late(DeadlineKind kind) {
  const std::uint64_t sent = link_->content_sent - std::exchange(seen_sent_, link_->content_sent);
  if (waits_for_connection()) stream_.others_were_sent(sent);
  return stream_.be_late(kind);
}

void Http2Stream::begin_request() {
  step_ = Step::runs;
  ticket_ = link_->host().begin_request();
  // A proxy may speak TLS to this server for a client that does not.
  const TrustedProxies* trusted = link_->context().trusted;
  const bool by_proxy = trusted != nullptr && trusted->from.networks.has(peer_address());
  const Refusal refusal = fields_.judge(has_body_, is_secure() && !by_proxy, link_->context().limits);
  if (refusal) return stream_.refuse_head(fields_.head(), arrived_ns_, refusal);
  stream_.take_head(fields_.head(), arrived_ns_);
}

bool Http2Stream::has_window() const {
  nghttp2_session* session = link_->session();
  return nghttp2_session_get_stream_remote_window_size(session, id()) > 0 &&
         nghttp2_session_get_remote_window_size(session) > 0;
}

bool Http2Stream::waits_for_connection() const {
  return waits_for_window() && nghttp2_session_get_stream_remote_window_size(link_->session(), id()) > 0;
}

bool Http2Stream::wants_turn() const {
  const WaitingFor what = stream_.waiting_for();
  return what == WaitingFor::turn || (what == WaitingFor::socket_room && !window_shut_);
}

// What the reader takes is given back to both windows.
bool Http2Stream::fetch_body(RequestBody& body) {
  const ConnectionContext& context = link_->context();
  body.pace().pause(context.loop.now_ms());
  if (received_) body.begin_to_come();
  while (body.wants_bytes()) {
    const std::string_view content = content_.rest();
    if (!body.is_tunnel() && content_size_ > context.limits.body_bytes_max) {
      body.break_off({413, "The body is longer than this server allows."});
    } else if (!content.empty()) {
      const std::size_t taken = body.offer(content);
      use_content(taken);
      body.pace().came(taken);
    } else if (request_ended_ || (body.is_tunnel() && link_->channel().input_ended())) {
      body.finish();
    } else if (link_->channel().input_ended()) {
      body.break_off({400, "The body ended before it was complete."});
    } else if (body.is_tunnel()) {
      break;
    } else {
      const std::uint64_t window_ms = context.loop.deadlines().duration_ms(DeadlineKind::body);
      if (body.pace().too_slow(window_ms, context.limits.body_rate_min)) body.break_off(kSlowBody);
      break;
    }
  }
  return true;
}

void Http2Stream::use_content(std::size_t size) {
  if (size == 0) return;
  content_.use(size);
  if (!tunnel_) need(nghttp2_session_consume_connection(link_->session(), size));
  if (!request_ended_) need(nghttp2_session_consume_stream(link_->session(), id(), size));
}

bool Http2Stream::send_continue() {
  return send_interim(100, {});
}

bool Http2Stream::send_early_hints(std::string_view lines) {
  return send_interim(103, lines);
}

bool Http2Stream::send_interim(std::uint32_t status, std::string_view lines) {
  if (link_->make_room(kContinueRoom + Http2Answer::size_max(lines)) != Io::ok) return false;
  const auto fields = link_->common().response.of(lines, status);
  need(nghttp2_submit_headers(link_->session(), NGHTTP2_FLAG_NONE, id(), nullptr, fields.data(), fields.size(),
                              nullptr));
  link_->drain();
  return true;
}

Io Http2Stream::begin_answer(ResponseHead& head, bool, BodyFraming& framing) {
  Io io = link_->drain();
  if (io == Io::ok) io = link_->make_room(Http2Answer::size_max(head) + kRoomBehindHead);
  if (io != Io::ok) {
    output_full_ = lacks_room_ = io == Io::full;
    return io;
  }
  framing.kind = framing_of(head);
  framing.remaining = framing.kind == Framing::length ? head.size : kUnknownSize;
  framing.overrun = false;
  framing.trailers.clear();
  answer_.begin(head);
  if (!head.upgrade.empty()) become_tunnel();
  return Io::ok;
}

// A tunnel may pause for long. So it holds its own window alone, and never those of other streams.
void Http2Stream::become_tunnel() {
  tunnel_ = true;
  need(nghttp2_session_consume_connection(link_->session(), content_.rest().size()));
}

void Http2Stream::close_sink() {
  sink_->close();
  window_shut_ = sink_->window_is_shut() && !answer_.has_ended();
  output_full_ = !window_shut_ && sink_->is_full();
  sink_.reset();
}

void Http2Stream::take_back_answer() {
  sink_->take_back();
  answer_.take_back();
}

// Some clients pass over an answer that a reset follows at once. So one that still sends a body has a while to
// stop by itself; its window stays shut.
bool Http2Stream::end_answer(bool) {
  Deadlines& deadlines = link_->context().loop.deadlines();
  if (!request_ended_) deadlines.arm(*this, DeadlineKind::linger, link_->context().loop.now_ms());
  return false;
}

// The client is told that nobody wants the rest of the body (RFC 9113 section 8.1). Without memory it is told
// later.
void Http2Stream::on_deadline(DeadlineKind kind) {
  const int submitted = nghttp2_submit_rst_stream(link_->session(), NGHTTP2_FLAG_NONE, id(), NGHTTP2_NO_ERROR);
  EventLoop& loop = link_->context().loop;
  if (submitted == NGHTTP2_ERR_NOMEM) return loop.deadlines().arm(*this, kind, loop.now_ms());
  link_->host().run_again();
}

void Http2Stream::stream_is_late(DeadlineKind kind) {
  link_->late = this;
  link_->host().stream_is_late(kind);
}

}  // namespace sluice
