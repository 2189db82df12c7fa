#include "connection/http2_session.h"

#include <algorithm>

namespace sluice {
namespace {

// The connection holds at most so much content of requests that no reader has taken (RFC 9113 section 6.9),
// and a stream the protocol's own 64 KiB. So readers that pause hold only their streams until there are 16.
// Content of tunnels comes on top.
constexpr std::int32_t kConnectionWindow = 1024 * 1024;
// nghttp2 is given so many bytes at once, between two looks at the clock.
constexpr std::size_t kReadMax = 4 * 1024;
// A client that takes nothing may cause so many frames, beside its answers.
constexpr std::size_t kUnsentMax = 256;

}  // namespace

std::unique_ptr<Http2Stream> Http2Pool::take() {
  if (spare.empty()) return std::make_unique<Http2Stream>(common.context);
  std::unique_ptr<Http2Stream> stream = std::move(spare.back());
  spare.pop_back();
  return stream;
}

// The stream may be the caller, so it is destroyed at the end of the turn.
void Http2Pool::give(std::unique_ptr<Http2Stream> stream) {
  stream->close();
  if (spare.size() >= kSpareMax) return common.context.loop.reap(std::move(stream));
  spare.push_back(std::move(stream));
}

Http2Session::Http2Session(Http2Pool& pool)
    : Session(pool.common.context.inputs, pool.common.outputs),
      context_(pool.common.context),
      pool_(pool),
      link_(pool.common, output_) {}

Http2Session::~Http2Session() {
  reset();
}

void Http2Session::attach(Channel& channel, SessionHost& host) {
  link_.begin(channel, host);
  channel.transport().keep_little_unsent();
}

void Http2Session::start() {
  nghttp2_session* const made = make_nghttp2();
  nghttp2_.reset(made);
  link_.use(made);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, context_.limits.head_bytes_max},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  };
  need(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings, std::size(settings)));
  need(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, kConnectionWindow));
  if (context_.draining) ask_to_leave();
}

void Http2Session::reset() {
  if (armed()) context_.loop.deadlines().disarm(*this);
  nghttp2_.reset();  // it knows no stream from now on
  link_.closed.clear();
  calls_behind_.clear();
  while (!streams_.empty()) {
    streams_.back()->stream().cut();
    recycle(*streams_.back());
  }
  output_.consume(output_.pending().size());
  output_.release();
  input_.use(input_.rest().size());
  input_.next_request();
  input_.release();
}

void Http2Session::begin_turn() {
  has_read_ = false;
  finish_shutdown();
  if (!std::exchange(stalled_, false)) return;
  for (const auto& stream : streams_) {
    if (stream->stream().is_stalled()) schedule_.add(*stream);
  }
}

Session::Next Http2Session::wait_for(WaitingFor what) {
  waiting_for_ = what;
  if (input_.empty()) input_.release();
  return Next::wait;
}

Session::Next Http2Session::advance() {
  resting_ = false;
  if (nghttp2_ == nullptr) start();
  // Once a turn, however much is to be sent: the client may give up a stream, or ask for something small.
  if (!has_read_ && !schedule_.empty()) {
    const auto next = receive_frames();
    if (next && *next != Next::wait && *next != Next::idle) return *next;
  }
  for (;;) {
    const auto next = run_streams();
    const bool lacks_room = next == Next::wait && waiting_for_ == WaitingFor::socket_room;
    if (next && !lacks_room) return *next;
    if (!next && is_over()) return end_connection();
    if (const auto end = receive_frames()) return *end;
  }
}

bool Http2Session::is_over() const {
  if (leaving_ && streams_.empty()) return link_.is_drained();
  // It does not know the streams behind both ends whose readers are at work.
  return nghttp2_session_want_read(nghttp2_.get()) == 0 && link_.closed.empty();
}

// A stream that waits for its turn has no deadline. It gets one when it sees that the connection's window is
// shut.
void Http2Session::let_see_window() {
  for (const auto& stream : streams_) {
    if (stream->is_ready && !stream->waits_for_window()) make_ready(*stream);
  }
}

// The client gets to know why, so the connection reads on for a while.
Session::Next Http2Session::end_connection(Ending ending) {
  for (const auto& stream : streams_) stream->stream().cut(ending);
  leaving_ = true;
  lingers_ = true;
  return Next::end;
}

std::optional<Session::Next> Http2Session::run_streams() {
  for (bool first = true; !schedule_.empty(); first = false) {
    const bool is_shut = nghttp2_session_get_remote_window_size(nghttp2_.get()) <= 0;
    if (is_shut && !schedule_.has_fresh()) let_see_window();
    if (is_shut && !schedule_.has_fresh()) break;
    if (link_.channel().budget() == 0 || (!first && context_.loop.slice_is_over()))
      return wait_for(WaitingFor::turn);
    Io io = flush_frames();
    if (schedule_.empty()) break;
    if (io == Io::ok) io = link_.make_room(Http2Link::kFrameHead + Http2Link::kContentMax);
    if (io == Io::lost) return Next::cut;
    if (io == Io::full) return wait_for(WaitingFor::socket_room);
    bool waits = false;
    Http2Stream& stream = *schedule_.take(waits);
    if (is_shut) waits = false;
    if (const auto next = run(stream, waits)) return next;
  }
  return std::nullopt;
}

std::optional<Session::Next> Http2Session::run(Http2Stream& stream, bool waits) {
  const bool alone = schedule_.empty();
  // A first frame goes along with the head, because a body that fails by then gets an error page.
  if (!stream.has_begun_answer()) waits = false;
  link_.quantum() = waits ? 0 : alone ? Http2Link::kFrames * Http2Link::kContentMax : Http2Link::kContentMax;
  const std::uint64_t share = link_.quantum();
  const Stream::Outcome outcome = stream.advance();
  const std::uint64_t sent = share - std::min(share, link_.quantum());
  if (sent > 0) budget_.content_was_sent(1 + sent / Http2Link::kContentMax);
  if (outcome == Stream::Outcome::waits && (stream.wants_turn() || stream.waits_for_connection())) {
    if (stream.stream().is_stalled()) {
      stalled_ = true;
    } else {
      schedule_.add_again(stream);
    }
  }
  if (outcome == Stream::Outcome::waits) touch(stream);
  any_shut_ = any_shut_ || stream.waits_for_window();
  const bool lacks_room = stream.waits_for_room();
  const auto next = take_outcome(stream, outcome);
  if (next) return next;
  if (flush_frames() == Io::lost) return Next::cut;
  return lacks_room ? std::optional(wait_for(WaitingFor::socket_room)) : std::nullopt;
}

std::optional<Session::Next> Http2Session::take_outcome(Http2Stream& stream, Stream::Outcome outcome) {
  if (outcome != Stream::Outcome::waits) stream.drop_content();
  const auto reset = [&](std::uint32_t code) {
    if (!stream.is_closed)
      need(nghttp2_submit_rst_stream(nghttp2_.get(), NGHTTP2_FLAG_NONE, stream.id(), code));
  };
  switch (outcome) {
    case Stream::Outcome::waits:
    case Stream::Outcome::sent:
      break;
    case Stream::Outcome::closed:
      reset(NGHTTP2_CANCEL);
      break;
    case Stream::Outcome::cut:
      reset(NGHTTP2_INTERNAL_ERROR);
      break;
    case Stream::Outcome::client_left:
      if (!stream.is_closed) return Next::leave;
      break;
  }
  return std::nullopt;
}

std::optional<Session::Next> Http2Session::receive_frames() {
  Channel& channel = link_.channel();
  const Io sent = flush_frames();
  if (sent == Io::lost) return Next::cut;
  // A client that takes nothing may still give up streams.
  const bool has_come = !input_.empty() || channel.input_ready();
  const bool causes_more = nghttp2_session_get_outbound_queue_size(nghttp2_.get()) < kUnsentMax;
  if (lacks_room() && (!has_come || !causes_more)) return wait_for(WaitingFor::socket_room);
  // nghttp2 does not count streams behind both ends as open.
  if (link_.closed.size() >= kStreamsMax) return wait_for_client();
  if (channel.budget() == 0 || (has_read_ && context_.loop.slice_is_over())) return wait_for(WaitingFor::turn);
  has_read_ = true;
  if (input_.empty()) {
    if (channel.input_ended() && !streams_.empty()) return wait_for_client();
    if (channel.input_ended()) {
      leaving_ = true;
      return Next::end;
    }
    input_.expect_much();
    const Io io = channel.receive_anyway(input_);
    if (io == Io::lost) return Next::cut;
    if (io == Io::full) return wait_for_client();
    if (channel.input_ended()) {
      for (const auto& stream : streams_) make_ready(*stream);  // nothing more comes for their bodies
      return std::nullopt;
    }
  }
  return read_frames();
}

// Whether the socket takes no more, and some frames are left.
bool Http2Session::lacks_room() const {
  return !link_.is_drained() || (!output_.empty() && !link_.channel().output_ready());
}

Session::Next Http2Session::wait_for_client() {
  if (lacks_room()) return wait_for(WaitingFor::socket_room);
  if (!streams_.empty()) return wait_for(stalled_ ? WaitingFor::turn : WaitingFor::handler);
  if (link_.channel().flush(output_) != Io::ok) return wait_for(WaitingFor::socket_room);
  return is_over() ? end_connection() : Next::idle;
}

std::optional<Session::Next> Http2Session::read_frames() {
  bool is_broken = false;
  do {
    const std::string_view bytes = input_.rest().substr(0, kReadMax);
    const ssize_t used = nghttp2_session_mem_recv(
        nghttp2_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    is_broken = used < 0;
    count_frames(bytes, used);
    input_.use(is_broken ? input_.rest().size() : static_cast<std::size_t>(used));
  } while (!is_broken && !costly_ && !input_.empty() && !context_.loop.slice_is_over());
  if (input_.empty()) input_.next_request();
  look_at_closed();
  if (is_broken || costly_) {
    if (costly_) break_off_costly();
    need(nghttp2_session_terminate_session(nghttp2_.get(),
                                           costly_ ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR));
    if (flush_frames() == Io::lost) return Next::cut;
    return end_connection(costly_ ? Ending::closed : Ending::cut);
  }
  look_at_windows();
  finish_shutdown();
  if (flush_frames() == Io::lost) return Next::cut;
  // After its last GOAWAY, nghttp2 sends nothing more.
  return is_over() ? std::optional(end_connection()) : std::nullopt;
}

// Sends what nghttp2 has ready. REQUIRES: no stream is being run.
Io Http2Session::flush_frames() {
  const Io io = link_.drain();
  look_at_closed();
  return io;
}

// A stream behind both ends stays as long as the reader of its body is at work.
void Http2Session::look_at_closed() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < link_.closed.size(); ++i) {
    Http2Stream& stream = *link_.closed[i];
    const bool at_work = stream.stream().is_at_work();
    if (at_work && stream.is_whole()) {
      link_.closed[kept++] = &stream;
      continue;
    }
    if (at_work) stream.stream().cut();
    recycle(stream);
  }
  link_.closed.resize(kept);
}

void Http2Session::recycle(Http2Stream& stream) {
  schedule_.remove(stream);
  if (stream.has_head()) --working_;
  if (heading_ == &stream) heading_ = nullptr;
  if (stream.is_touched) std::erase(touched_, &stream);
  if (nghttp2_ != nullptr) stream.drop_content();
  const std::uint32_t index = stream.index;
  std::swap(streams_[index], streams_.back());
  streams_[index]->index = index;
  std::unique_ptr<Http2Stream> taken = std::move(streams_.back());
  streams_.pop_back();
  pool_.give(std::move(taken));
}

void Http2Session::look_at_windows() {
  if (!std::exchange(windows_changed_, false) || !std::exchange(any_shut_, false)) return;
  for (const auto& stream : streams_) {
    if (!stream->waits_for_window()) continue;
    any_shut_ = true;
    if (stream->has_window()) schedule_.add(*stream);
  }
}

bool Http2Session::wake(Ticket ticket, const ModuleInstance& by) {
  const auto found = std::find_if(streams_.begin(), streams_.end(),
                                  [&](const auto& stream) { return stream->ticket().value == ticket.value; });
  if (found == streams_.end() || !(*found)->stream().wake(by)) return false;
  make_ready(**found);
  return true;
}

Session::Next Http2Session::be_late(DeadlineKind kind) {
  Http2Stream& stream = *link_.late;
  Stream::Outcome outcome = stream.be_late(kind);
  touch(stream);
  if (outcome == Stream::Outcome::waits) make_ready(stream);
  // Only this stream is late: the others go on.
  if (outcome == Stream::Outcome::client_left) outcome = Stream::Outcome::closed;
  return take_outcome(stream, outcome).value_or(Next::wait);
}

Session::Next Http2Session::refuse_late_head() {
  say_goodbye();
  return Next::end;
}

Session::Next Http2Session::close_endless() {
  for (const auto& stream : streams_) {
    if (!stream->stream().waits_endlessly()) continue;
    take_outcome(*stream, stream->stream().close_endless());
    link_.host().run_again();
  }
  return Next::wait;
}

void Http2Session::cut(Ending ending) {
  for (const auto& stream : streams_) stream->stream().cut(ending);
  output_.consume(output_.pending().size());
}

// Most turns change few of many streams.
void Http2Session::settle(bool sends, bool) {
  const bool client_ended = link_.channel().client_has_ended();
  if (sends != std::exchange(sent_, sends) || client_ended != std::exchange(client_ended_, client_ended)) {
    for (const auto& stream : streams_) stream->settle(sends);
  } else {
    for (Http2Stream* stream : touched_) stream->settle(sends);
  }
  for (Http2Stream* stream : touched_) stream->is_touched = false;
  touched_.clear();
}

bool Http2Session::rest() {
  output_.release();
  input_.release();
  early_.clear();
  resting_ = true;
  return false;
}

bool Http2Session::ask_to_leave() {
  if (std::exchange(asked_to_leave_, true) || nghttp2_ == nullptr) return false;
  need(nghttp2_submit_shutdown_notice(nghttp2_.get()));
  need(nghttp2_submit_ping(nghttp2_.get(), NGHTTP2_FLAG_NONE, kLeavingPing));
  context_.loop.deadlines().arm(*this, DeadlineKind::linger, context_.loop.now_ms());
  return true;
}

// A client that does not answer may not keep the worker from its end.
void Http2Session::on_deadline(DeadlineKind) {
  heard_ = true;
  link_.host().run_again();
}

// The client has seen that it should open no more streams, or has had its time. Streams that came before are
// served.
void Http2Session::finish_shutdown() {
  if (heard_ && !leaving_) say_goodbye();
}

void Http2Session::say_goodbye() {
  if (nghttp2_ == nullptr || std::exchange(leaving_, true)) return;
  const std::int32_t last = nghttp2_session_get_last_proc_stream_id(nghttp2_.get());
  need(nghttp2_submit_goaway(nghttp2_.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0));
  link_.drain();
}

}  // namespace sluice
