#include "connection/http2_link.h"

#include <algorithm>

namespace sluice {

Http2Common::Http2Common(const ConnectionContext& connections)
    : staging(new char[Http2Link::kContentMax]), outputs(Http2Link::kOutputSize), context(connections) {}

Io Http2Link::make_room(std::size_t size) {
  if (output_.room() >= size) return Io::ok;
  const Io io = channel_->flush(output_);
  if (io == Io::lost) return io;
  return output_.room() >= size ? Io::ok : Io::full;
}

Io Http2Link::drain() {
  for (;;) {
    if (stuck_.empty()) {
      const std::uint8_t* frame = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &frame);
      if (size < 0) return Io::lost;
      if (size == 0) return Io::ok;
      stuck_ = {reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size)};
    }
    if (make_room(std::min(stuck_.size(), kFrameHead)) == Io::lost) return Io::lost;
    const std::size_t part = std::min(stuck_.size(), output_.room());
    if (part == 0) return Io::full;
    output_.append(stuck_.substr(0, part));
    stuck_.remove_prefix(part);
  }
}

}  // namespace sluice
