// Gives a chunked body to its decoder in pieces, as a connection does.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/chunked_body.h"

namespace sluice::test {

struct Chunks {
  ChunkedBody::Outcome outcome = ChunkedBody::Outcome::more;
  std::string content;
  std::size_t used = 0;

  bool operator==(const Chunks&) const = default;
};

// `step` bytes arrive at a time. Throws when the decoder takes more than has arrived.
inline Chunks take_chunks(std::string_view bytes, std::size_t step) {
  ChunkedBody body;
  Chunks taken;
  for (std::size_t end = 0;;) {
    const ChunkedBody::Result result = body.take(bytes.substr(taken.used, end - taken.used));
    if (result.used > end - taken.used || result.piece.size() > result.used) {
      throw std::logic_error("more was taken than had come");
    }
    taken.outcome = result.outcome;
    taken.used += result.used;
    taken.content += result.piece;
    if (taken.outcome != ChunkedBody::Outcome::more) return taken;
    if (taken.used < end) continue;
    if (end == bytes.size()) return taken;
    end = std::min(bytes.size(), end + step);
  }
}

}  // namespace sluice::test
