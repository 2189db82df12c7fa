#include "connection/http2_budget.h"

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
    {"DATA frames without content", 500, 50},
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
