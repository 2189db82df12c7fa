// Chunked bodies: the same content and the same end however they are cut, and what is accepted can be written
// again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chunked_body.h"
#include "expect.h"

using sluice::ChunkedBody;
using sluice::fuzz::expect;

namespace {

struct Taken {
  ChunkedBody::Outcome outcome = ChunkedBody::Outcome::more;
  std::string content;
  std::size_t used = 0;

  bool operator==(const Taken&) const = default;
};

// `step` bytes come at once.
Taken take_all(std::string_view bytes, std::size_t step) {
  ChunkedBody body;
  Taken taken;
  for (std::size_t end = 0;;) {
    const ChunkedBody::Result result = body.take(bytes.substr(taken.used, end - taken.used));
    expect(result.used <= end - taken.used, "no more is taken than has come");
    expect(result.piece.size() <= result.used, "content is part of what was taken");
    taken.outcome = result.outcome;
    taken.used += result.used;
    taken.content += result.piece;
    if (taken.outcome != ChunkedBody::Outcome::more) break;
    if (taken.used < end) continue;
    if (end == bytes.size()) break;
    end = std::min(bytes.size(), end + step);
  }
  if (taken.outcome == ChunkedBody::Outcome::broken) taken.used = 0;  // nobody goes on from there
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Taken whole = take_all(bytes, size + 1);
  expect(take_all(bytes, 1) == whole, "a body is the same byte by byte");
  expect(take_all(bytes, 3) == whole, "a body is the same in small pieces");
  if (whole.outcome == ChunkedBody::Outcome::done) {
    expect(bytes.substr(0, whole.used).ends_with("\r\n"), "a body ends with a line end");
    expect(take_all(bytes.substr(0, whole.used - 1), 7).outcome == ChunkedBody::Outcome::more,
           "a body does not end before its last byte");
  }
  return 0;
}
