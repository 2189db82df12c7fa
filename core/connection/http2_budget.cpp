#include "connection/http2_budget.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

namespace sluice {
namespace {

struct Limit {
  std::string_view name;
  std::uint32_t burst;       // so many at once
  std::uint32_t per_second;  // and so many again each second
};
// In the order of Http2Cost. A browser that leaves a page resets a hundred streams.
constexpr Limit kLimits[kHttp2Costs] = {
    {"resets of streams", 500, 50},
    {"PING frames", 200, 20},
    {"SETTINGS frames", 50, 5},
    {"frames about priorities", 1000, 100},
    {"WINDOW_UPDATE frames", 4000, 400},
    {"DATA frames that bring nothing", 500, 50},
    {"frames of unknown types", 1000, 100},
    {"bytes of fields in a request", 0, 0},
    {"frames that want an answer, which it does not read", 0, 0},
};
// A client may open both windows for each frame that it takes. It may also send a PING, to measure how fast
// content comes.
constexpr std::uint64_t kUpdatesPerFrame = 4;

const Limit& limit_of(Http2Cost cost) {
  return kLimits[static_cast<unsigned>(cost)];
}

}  // namespace

std::string_view http2_cost_name(Http2Cost cost) {
  return limit_of(cost).name;
}

std::optional<Http2Cost> cost_of(const Http2FrameHead& head, bool has_stream) {
  switch (head.type) {
    case NGHTTP2_DATA: {
      // Content that was on its way when its stream was reset comes in larger ones.
      constexpr std::uint32_t kLittle = 256;
      const bool ends = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      const bool is_useless = has_stream ? head.is_empty && !ends : head.is_empty || head.length < kLittle;
      return is_useless ? std::optional(Http2Cost::empty) : std::nullopt;
    }
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_PUSH_PROMISE:
      return std::nullopt;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
      return Http2Cost::priority;
    case NGHTTP2_SETTINGS:
      return Http2Cost::settings;
    case NGHTTP2_PING:
      // An answer to a PING wants no answer.
      return (head.flags & NGHTTP2_FLAG_ACK) == 0 ? Http2Cost::ping : Http2Cost::unknown;
    case NGHTTP2_WINDOW_UPDATE:
      return Http2Cost::window;
    default:
      return Http2Cost::unknown;
  }
}

bool Http2Budget::take(Http2Cost cost, std::uint64_t now_ms) {
  Bucket& bucket = buckets_[static_cast<unsigned>(cost)];
  const Limit& limit = limit_of(cost);
  if (now_ms > bucket.looked_ms) {
    const std::uint64_t leaked = (now_ms - bucket.looked_ms) * limit.per_second / 1000;
    if (leaked > 0) {
      bucket.level -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bucket.level, leaked));
      bucket.looked_ms = now_ms;
    }
  }
  return ++bucket.level <= limit.burst;
}

void Http2Budget::content_was_sent(std::uint64_t frames) {
  const auto pay_back = [&](Http2Cost cost, std::uint64_t count) {
    Bucket& bucket = buckets_[static_cast<unsigned>(cost)];
    bucket.level -= static_cast<std::uint32_t>(std::min<std::uint64_t>(bucket.level, count));
  };
  pay_back(Http2Cost::window, frames * kUpdatesPerFrame);
  pay_back(Http2Cost::ping, frames);
}

}  // namespace sluice
