#include "connection/http2_sink.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t kHead = Http2Link::kFrameHead;
constexpr std::size_t kFrameMax = Http2Link::kContentMax;
// Frames that fit into an empty output, with the open one and a last one that is not full.
constexpr std::size_t kPlaces = Http2Link::kOutputSize / (kHead + kFrameMax) + 2;

std::uint64_t not_negative(std::int32_t window) {
  return window > 0 ? static_cast<std::uint64_t>(window) : 0;
}

}  // namespace

Http2Sink::Http2Sink(Http2Link& link, Http2Answer& answer, BodyFraming& framing)
    : AnswerSink(framing), link_(link), answer_(answer) {
  nghttp2_session* session = link.session();
  window_ = std::min(not_negative(nghttp2_session_get_stream_remote_window_size(session, answer.id())),
                     not_negative(nghttp2_session_get_remote_window_size(session)));
  // Nothing may come between a frame's place in the output and the frame.
  Io io = link.drain();
  if (io == Io::ok && !answer.head_waits()) io = link.make_room(kHead + kFrameMax);
  lost_ = io == Io::lost;
  full_ = window_ == 0 || place_left() == 0;
}

// How much content the output has room for, in frames.
std::uint64_t Http2Sink::place_left() const {
  std::size_t room = link_.output().room();
  if (answer_.head_waits()) {
    room -= std::min(room, answer_.head_size_max() + kHead);
    return std::min(room, kFrameMax) - std::min(std::min(room, kFrameMax), open_);
  }
  if (!link_.is_drained()) return 0;
  const std::size_t whole = room / (kHead + kFrameMax);
  const std::size_t rest = room % (kHead + kFrameMax);
  const std::size_t place = whole * kFrameMax + (rest > kHead ? rest - kHead : 0);
  return place - std::min(place, open_);
}

std::uint64_t Http2Sink::room() const {
  if (lost_) return 0;
  return std::min({link_.channel().budget(), link_.quantum(), framing_.remaining, window_, place_left()});
}

char* Http2Sink::open_end() {
  if (answer_.head_waits()) return link_.common().staging.get() + open_;
  return link_.output().place() + kHead + open_;
}

// Cuts an offer to the declared size, and returns how much of it can be taken now.
std::uint64_t Http2Sink::limit(std::uint64_t& size) {
  if (size > framing_.remaining) {
    framing_.overrun = true;
    size = framing_.remaining;
  }
  return std::min(size, room());
}

Moved Http2Sink::taken(std::uint64_t size, std::uint64_t offered, Io otherwise) {
  moved_ += size;
  link_.channel().budget() -= std::min(link_.channel().budget(), size);
  link_.quantum() -= std::min(link_.quantum(), size);
  link_.content_sent += size;
  window_ -= std::min(window_, size);
  if (framing_.remaining != kUnknownSize) framing_.remaining -= size;
  if (lost_) return {size, Io::lost};
  if (size == offered) return {size, Io::ok};
  full_ = full_ || window_ == 0 || place_left() == 0;
  return {size, otherwise};
}

Moved Http2Sink::write(const Bytes* pieces, std::uint32_t count) {
  std::uint64_t offered = 0;
  for (std::uint32_t i = 0; i < count; ++i) offered += pieces[i].size;
  const std::uint64_t size = limit(offered);
  if (lost_) return {0, Io::lost};
  std::uint64_t left = size;
  for (std::uint64_t used = 0; left > 0 && !lost_;) {
    const std::uint64_t part = std::min({left, pieces->size - used, std::uint64_t{kFrameMax - open_}});
    std::memcpy(open_end(), pieces->data + used, part);
    open_ += part;
    used += part;
    left -= part;
    if (used == pieces->size) {
      ++pieces;
      used = 0;
    }
    // The last frame waits for `close`, which knows that it is the last one.
    if (open_ == kFrameMax && left > 0) send_frame(false);
  }
  return taken(size - left, offered, Io::full);
}

// Reads the file to where the content of the open frame and of the next ones will lie.
std::int64_t Http2Sink::read_into_frames(int fd, std::uint64_t offset, std::uint64_t size) {
  iovec places[kPlaces];
  int used = 0;
  char* place = open_end();
  std::uint64_t of_frame = kFrameMax - open_;
  for (std::uint64_t left = size; left > 0; ++used) {
    const std::uint64_t part = std::min(left, of_frame);
    places[used] = {place, part};
    place += part + kHead;
    left -= part;
    of_frame = kFrameMax;
  }
  for (;;) {
    const ssize_t got = ::preadv(fd, places, used, static_cast<off_t>(offset));
    if (got >= 0 || errno != EINTR) return got;
  }
}

Moved Http2Sink::send_file(int fd, std::uint64_t offset, std::uint64_t size) {
  std::uint64_t offered = size;
  std::uint64_t wanted = limit(offered);
  if (lost_) return {0, Io::lost};
  if (wanted == 0) return {0, offered == 0 ? Io::ok : Io::full};
  if (open_ == kFrameMax && !send_frame(false)) return {0, Io::lost};
  // What is staged is one frame.
  if (answer_.head_waits()) wanted = std::min<std::uint64_t>(wanted, kFrameMax - open_);
  const std::int64_t got = read_into_frames(fd, offset, wanted);
  if (got < 0) return {0, Io::unsupported};
  std::uint64_t left = static_cast<std::uint64_t>(got);
  while (left > 0 && !lost_) {
    const std::uint64_t part = std::min<std::uint64_t>(left, kFrameMax - open_);
    open_ += part;
    left -= part;
    if (left > 0) send_frame(false);
  }
  const auto size_read = static_cast<std::uint64_t>(got) - left;
  return taken(size_read, offered, size_read < wanted ? Io::short_file : Io::full);
}

bool Http2Sink::send_frame(bool last) {
  const bool sent = answer_.send(link_, open_, last);
  open_ = 0;
  lost_ = lost_ || !sent;
  return sent;
}

Io Http2Sink::finish() {
  if (lost_) return Io::lost;
  if (answer_.has_ended()) return Io::ok;
  const std::string_view trailers = framing_.trailers;
  if (!link_.is_drained() || link_.output().room() < kHead) return Io::full;
  // Trailers leave at once, behind everything that is not in the output yet, and no window may hold it up.
  const std::size_t before = kHead + open_ + (answer_.head_waits() ? answer_.head_size_max() : 0);
  if (!trailers.empty() && (window_ == 0 || link_.output().room() < before + Http2Answer::size_max(trailers)))
    return Io::full;
  // Not even an empty frame passes a window that is shut.
  if (window_ == 0 && open_ == 0 && !answer_.head_waits()) return Io::full;
  answer_.set_trailers(trailers);
  if (!send_frame(true)) return Io::lost;
  return answer_.has_ended() ? Io::ok : Io::full;
}

void Http2Sink::close() {
  if (lost_ || answer_.has_ended()) return;
  if (answer_.head_waits() || open_ > 0) send_frame(is_last() && !framing_.overrun);
}

}  // namespace sluice
