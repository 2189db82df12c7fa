// Chunked bodies: the same content and the same end, wherever they are cut.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.h"
#include "support/chunked_feed.h"

using sluice::ChunkedBody;
using sluice::fuzz::expect;
using sluice::test::Chunks;
using sluice::test::take_chunks;

namespace {

// How much of a broken body was taken depends on the cuts. It does not matter, since the connection closes.
Chunks take(std::string_view bytes, std::size_t step) {
  Chunks taken = take_chunks(bytes, step);
  if (taken.outcome == ChunkedBody::Outcome::broken) taken.used = 0;
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Chunks whole = take(bytes, size + 1);
  expect(take(bytes, 1) == whole, "a body is the same byte by byte");
  expect(take(bytes, 3) == whole, "a body is the same in small pieces");
  if (whole.outcome == ChunkedBody::Outcome::done) {
    expect(bytes.substr(0, whole.used).ends_with("\r\n"), "a body ends with a line end");
    expect(take(bytes.substr(0, whole.used - 1), 7).outcome == ChunkedBody::Outcome::more,
           "a body does not end before its last byte");
  }
  return 0;
}
