#include "connection/http2_answer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

// The server's own fields, and what HPACK adds to a field in the worst case.
constexpr std::size_t kOwnFieldsMax = 256;
constexpr std::size_t kShortestLine = 5;  // "a: " and a line end
constexpr std::size_t kPerFieldMax = 12;

// HPACK never makes a text longer. Lines lose their colon, blank and end, which is less than what a length
// takes.
std::size_t frames_max(std::size_t lines) {
  const std::size_t fields_max = lines / kShortestLine + 1;
  const std::size_t block = kOwnFieldsMax + lines + std::min(fields_max * kPerFieldMax, 2 * lines);
  return block + (block / Http2Link::kContentMax + 1) * Http2Link::kFrameHead;
}

}  // namespace

std::size_t Http2Answer::size_max(const ResponseHead& head) {
  return frames_max(head.fields.size() + head.site_fields.size());
}

std::size_t Http2Answer::size_max(std::string_view lines) {
  return lines.empty() ? 0 : frames_max(lines.size());
}

ssize_t Http2Answer::read(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room, std::uint32_t* flags,
                          nghttp2_data_source* source, void*) {
  auto& answer = *static_cast<Http2Answer*>(source->ptr);
  if (answer.ready_ == 0 && !answer.ends_) return NGHTTP2_ERR_DEFERRED;
  if (answer.ready_ > room) return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (answer.ready_ > 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (answer.ends_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!answer.trailers_.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      answer.trailers_due_ = true;
    }
    answer.ends_ = false;
    answer.ended_ = true;
  }
  return static_cast<ssize_t>(answer.ready_);
}

bool Http2Answer::submit_head(Http2Link& link, bool has_content) {
  head_waits_ = false;
  head_.date = link.context().date.now();
  const auto fields = link.common().response.of(head_);
  nghttp2_data_provider content{};
  content.source.ptr = this;
  content.read_callback = read;
  return nghttp2_submit_response(link.session(), id_, fields.data(), fields.size(),
                                 has_content ? &content : nullptr) == 0;
}

bool Http2Answer::send(Http2Link& link, std::size_t size, bool last) {
  ready_ = size;
  is_staged_ = head_waits_;
  ends_ = last;
  position_ = link.output().position();
  if (head_waits_) {
    const bool has_content = size > 0 || !last || !trailers_.empty();
    if (!submit_head(link, has_content)) return false;
    if (!has_content) {
      ends_ = false;
      ended_ = true;
    }
  } else if (nghttp2_is_fatal(nghttp2_session_resume_data(link.session(), id_)) != 0) {
    return false;
  }
  if (link.drain() != Io::ok || ready_ != 0) return false;
  return !std::exchange(trailers_due_, false) || (submit_trailers(link) && link.drain() == Io::ok);
}

// nghttp2 wants them when the last DATA frame was sent, and ends the stream by them.
bool Http2Answer::submit_trailers(Http2Link& link) {
  const auto fields = link.common().response.of(trailers_);
  return nghttp2_submit_trailer(link.session(), id_, fields.data(), fields.size()) == 0;
}

bool Http2Answer::put_frame(Http2Link& link, const std::uint8_t* frame_head, std::size_t size) {
  Output& output = link.output();
  if (size != ready_ || output.room() < Http2Link::kFrameHead + size) return false;
  if (!is_staged_ && output.position() != position_) return false;
  char* place = output.place();
  std::memcpy(place, frame_head, Http2Link::kFrameHead);
  if (is_staged_) std::memcpy(place + Http2Link::kFrameHead, link.common().staging.get(), size);
  output.append_written(Http2Link::kFrameHead + size);
  ready_ = 0;
  return true;
}

}  // namespace sluice
