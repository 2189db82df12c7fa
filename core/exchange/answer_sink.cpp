#include "exchange/answer_sink.h"

#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::size_t kTrailersMax = 4 * 1024;

}  // namespace

bool AnswerSink::trailer(Bytes name, Bytes value) {
  if (framing_.kind != Framing::chunked || why_not_sendable(name, value) != nullptr) return false;
  if (framing_.trailers.size() + name.size + value.size > kTrailersMax) return false;
  append_field(framing_.trailers, name, value);
  return true;
}

}  // namespace sluice
