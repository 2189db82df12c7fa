// The part of Http2Session that nghttp2 calls while it reads and writes frames.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/log.h"
#include "base/out_of_memory.h"
#include "connection/http2_memory.h"
#include "connection/http2_session.h"

namespace sluice {

// Records what nghttp2 reports. An exception must not pass through its code.
struct Http2Callbacks {
  static constexpr int kOk = 0;

  static Http2Session& session(void* user) { return *static_cast<Http2Session*>(user); }

  template <typename Call>
  static int record(Call&& call) {
    return unless_out_of_memory("memory is used up: an HTTP/2 connection is closed", call)
               ? kOk
               : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static int frame_begins(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    return record([&] { judge_frame(session(user), *head); });
  }

  static void judge_frame(Http2Session& to, const nghttp2_frame_hd& head) {
    if (head.type == NGHTTP2_HEADERS) to.judge_stream(head.stream_id);
    if (head.type == NGHTTP2_PRIORITY && head.stream_id == 0) to.fail(NGHTTP2_PROTOCOL_ERROR);
    if (head.type == NGHTTP2_SETTINGS) to.widest_window_ = to.widest_window();
  }

  static int fields_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return record([&] {
      Http2Session& to = session(user);
      to.heading_ = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? to.open_stream(frame->hd.stream_id) : nullptr;
      to.block_size_ = 0;
    });
  }

  static int field(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                   const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    Http2Session& to = session(user);
    to.block_size_ += name_size + value_size + Http2RequestFields::kFieldCost;
    const int recorded = record([&] {
      if (to.heading_ == nullptr) return;  // a trailer, which nobody reads
      to.heading_->fields().add(text(name, name_size), text(value, value_size), to.context_.limits);
      if (text(name, name_size) == "priority") to.heading_->priority = parse_priority(text(value, value_size));
    });
    // The rest of the list is decoded and passed over.
    constexpr std::size_t kLongListFactor = 4;
    if (to.block_size_ > kLongListFactor * to.context_.limits.head_bytes_max) {
      to.costly_ = Http2Cost::fields;
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return recorded;
  }

  static int frame_came(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    return record([&] { take_frame(session(user), *frame); });
  }

  static void take_frame(Http2Session& to, const nghttp2_frame& frame) {
    const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame.hd.type) {
      case NGHTTP2_HEADERS:
        if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) return to.head_has_come(ends);
        [[fallthrough]];
      case NGHTTP2_DATA:
        if (Http2Stream* stream = ends ? to.stream_of(frame.hd.stream_id) : nullptr) {
          stream->end_has_come();
          to.make_ready(*stream);
        }
        return;
      case NGHTTP2_RST_STREAM:
        return to.count(Http2Cost::reset);
      case NGHTTP2_SETTINGS:
        take_settings(to, frame.settings);
        [[fallthrough]];
      case NGHTTP2_WINDOW_UPDATE:
        to.windows_changed_ = true;
        return;
      case NGHTTP2_PING:
        if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 && to.asked_to_leave_ &&
            std::memcmp(frame.ping.opaque_data, Http2Session::kLeavingPing,
                        sizeof(Http2Session::kLeavingPing)) == 0)
          to.heard_ = true;
        return;
      case NGHTTP2_PRIORITY_UPDATE: {
        const auto& update = *static_cast<const nghttp2_ext_priority_update*>(frame.ext.payload);
        if (update.stream_id == 0) return to.fail(NGHTTP2_PROTOCOL_ERROR);
        return to.prioritise(update.stream_id, text(update.field_value, update.field_value_len));
      }
      default:
        return;
    }
  }

  // A window that grows beyond its limit is an error of the connection (RFC 9113 section 6.9.2).
  static void take_settings(Http2Session& to, const nghttp2_settings& settings) {
    for (std::size_t i = 0; i < settings.niv; ++i) {
      if (settings.iv[i].settings_id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) continue;
      const std::int64_t change = std::int64_t{settings.iv[i].value} - to.initial_window_;
      to.initial_window_ += change;
      to.widest_window_ += change;
      if (to.widest_window_ > NGHTTP2_MAX_WINDOW_SIZE) to.fail(NGHTTP2_FLOW_CONTROL_ERROR);
    }
  }

  static int content_came(nghttp2_session* from, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                          std::size_t size, void* user) {
    return record([&] {
      Http2Stream* stream = session(user).stream_of(id);
      if (stream == nullptr) return need(nghttp2_session_consume_connection(from, size));
      stream->content_has_come(text(bytes, size));
      session(user).touch(*stream);
      session(user).make_ready(*stream);
    });
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    return record([&] {
      Http2Stream* stream = session(user).stream_of(id);
      if (stream == nullptr || stream->is_closed) return;
      stream->is_closed = true;
      stream->closed_in_order = error == NGHTTP2_NO_ERROR;
      session(user).keep_calls_of(*stream);
      session(user).link_.closed.push_back(stream);
    });
  }

  // nghttp2 resets the stream, or has refused it. Its RST_STREAM leaves when all that came has been read, and
  // until then more may come for the stream.
  static int frame_refused(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    session(user).note_break_off(frame->hd.stream_id);
    return kOk;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_RST_STREAM) return kOk;
    session(user).note_break_off(frame->hd.stream_id);
    // Others are for reasons of ours.
    const std::uint32_t code = frame->rst_stream.error_code;
    const bool by_client = code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
    if (by_client) session(user).count(Http2Cost::reset);
    return kOk;
  }

  static int send_content(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t size,
                          nghttp2_data_source* source, void* user) {
    auto& answer = *static_cast<Http2Answer*>(source->ptr);
    bool has_put = false;
    const int recorded = record([&] { has_put = answer.put_frame(session(user).link_, head, size); });
    return has_put ? recorded : NGHTTP2_ERR_CALLBACK_FAILURE;
  }
};

const nghttp2_session_callbacks* Http2Session::callbacks() {
  static nghttp2_session_callbacks* const made = [] {
    nghttp2_session_callbacks* fresh = nullptr;
    if (nghttp2_session_callbacks_new(&fresh) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_frame_callback(fresh, Http2Callbacks::frame_begins);
    nghttp2_session_callbacks_set_on_begin_headers_callback(fresh, Http2Callbacks::fields_begin);
    nghttp2_session_callbacks_set_on_header_callback(fresh, Http2Callbacks::field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(fresh, Http2Callbacks::frame_came);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(fresh, Http2Callbacks::content_came);
    nghttp2_session_callbacks_set_on_stream_close_callback(fresh, Http2Callbacks::stream_closed);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(fresh, Http2Callbacks::frame_refused);
    nghttp2_session_callbacks_set_on_frame_send_callback(fresh, Http2Callbacks::frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(fresh, Http2Callbacks::send_content);
    return fresh;
  }();
  return made;
}

const nghttp2_option* Http2Session::options() {
  static nghttp2_option* const made = [] {
    nghttp2_option* fresh = nullptr;
    if (nghttp2_option_new(&fresh) != 0) throw std::bad_alloc();
    nghttp2_option_set_no_auto_window_update(fresh, 1);
    nghttp2_option_set_no_closed_streams(fresh, 1);
    nghttp2_option_set_builtin_recv_extension_type(fresh, NGHTTP2_PRIORITY_UPDATE);
    nghttp2_option_set_max_outbound_ack(fresh, 256);
    return fresh;
  }();
  return made;
}

nghttp2_session* Http2Session::make_nghttp2() {
  nghttp2_session* made = nullptr;
  need(nghttp2_session_server_new3(&made, callbacks(), this, options(), http2_memory()));
  return made;
}

Http2Stream* Http2Session::stream_of(std::int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(nghttp2_.get(), id));
}

// A request has a higher number than those before it (RFC 9113 section 5.1.1). What comes for a stream that
// this side has reset was on its way.
void Http2Session::judge_stream(std::int32_t id) {
  if (id > newest_ || stream_of(id) != nullptr) return;
  if (!was_broken_off(id)) return fail(NGHTTP2_PROTOCOL_ERROR);
  count(Http2Cost::reset);
}

bool Http2Session::was_broken_off(std::int32_t id) const {
  return std::find(broken_off_.begin(), broken_off_.end(), id) != broken_off_.end();
}

void Http2Session::note_break_off(std::int32_t id) {
  if (!was_broken_off(id)) broken_off_[break_offs_++ % broken_off_.size()] = id;
}

// Offloaded calls go on when their stream has ended. They count as streams until they end, too.
void Http2Session::keep_calls_of(Http2Stream& stream) {
  const auto& calls = stream.stream().calls();
  if (calls != nullptr && calls->any()) calls_behind_.push_back(calls);
}

// nghttp2 limits the open streams, and does not know of the calls.
bool Http2Session::is_full() {
  if (streams_.size() + calls_behind_.size() < kStreamsMax) return false;
  std::erase_if(calls_behind_, [](const auto& calls) { return !calls->any(); });
  const auto open =
      std::count_if(streams_.begin(), streams_.end(), [](const auto& stream) { return !stream->is_closed; });
  return static_cast<std::size_t>(open) + calls_behind_.size() >= kStreamsMax;
}

// Null if the stream is refused.
Http2Stream* Http2Session::open_stream(std::int32_t id) {
  newest_ = id;
  if (!calls_behind_.empty() && is_full()) {
    need(nghttp2_submit_rst_stream(nghttp2_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM));
    note_break_off(id);
    return nullptr;
  }
  streams_.push_back(pool_.take());
  Http2Stream& stream = *streams_.back();
  stream.index = static_cast<std::uint32_t>(streams_.size() - 1);
  stream.open(link_, id);
  nghttp2_session_set_stream_user_data(nghttp2_.get(), id, &stream);
  return &stream;
}

void Http2Session::head_has_come(bool ends) {
  if (heading_ == nullptr) return;
  Http2Stream& stream = *std::exchange(heading_, nullptr);
  ++working_;
  served_ = true;
  stream.head_has_come(ends, input_.arrived_ns());
  const auto early =
      std::find_if(early_.begin(), early_.end(), [&](const Early& one) { return one.id == stream.id(); });
  if (early != early_.end()) {
    stream.priority = early->priority;
    early_.erase(early);
  }
  schedule_.add_fresh(stream);
}

void Http2Session::make_ready(Http2Stream& stream) {
  if (!stream.stream().is_at_work()) return;
  schedule_.remove(stream);
  schedule_.add_fresh(stream);
}

void Http2Session::prioritise(std::int32_t id, std::string_view text) {
  const Http2Priority priority = parse_priority(text);
  if (Http2Stream* stream = stream_of(id)) {
    const bool was_ready = stream->is_ready && stream->stream().is_at_work();
    if (was_ready) schedule_.remove(*stream);
    stream->priority = priority;
    if (was_ready) schedule_.add(*stream);
  } else if (id > nghttp2_session_get_last_proc_stream_id(nghttp2_.get())) {
    if (early_.size() == kEarlyMax) early_.erase(early_.begin());
    early_.push_back({id, priority});
  }
}

std::int64_t Http2Session::widest_window() const {
  std::int64_t widest = 0;
  for (const auto& stream : streams_) {
    widest = std::max<std::int64_t>(
        widest, nghttp2_session_get_stream_remote_window_size(nghttp2_.get(), stream->id()));
  }
  return widest;
}

void Http2Session::fail(std::uint32_t error) {
  need(nghttp2_session_terminate_session(nghttp2_.get(), error));
}

void Http2Session::count(Http2Cost cost) {
  if (!costly_ && !budget_.take(cost, context_.loop.now_ms())) costly_ = cost;
}

void Http2Session::count_frames(std::string_view bytes, ssize_t used) {
  const bool is_flood = used == NGHTTP2_ERR_FLOODED;
  if (used < 0 && !is_flood) return;
  heads_.walk(bytes, [this](const Http2FrameHead& head) {
    if (const auto cost = cost_of(head, stream_of(head.stream) != nullptr)) count(*cost);
  });
  if (is_flood) count(Http2Cost::unsent);  // unless they have told what it is a flood of
}

// One line a second at most.
void Http2Session::break_off_costly() {
  context_.stats.http2_floods[static_cast<unsigned>(*costly_)].add();
  const std::uint64_t now_ms = context_.loop.now_ms();
  constexpr std::uint64_t kLineMs = 1000;
  if (pool_.logged_ms != 0 && now_ms - pool_.logged_ms < kLineMs) return;
  pool_.logged_ms = now_ms;
  log(LogLevel::warning, "a client sends too many " + std::string(http2_cost_name(*costly_)) +
                             ", so its HTTP/2 connection is closed");
}

}  // namespace sluice
