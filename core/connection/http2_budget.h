// What a client of HTTP/2 may cost without asking for anything: one leaky bucket for each kind of frame by
// which a server can be kept busy (RFC 9113 section 10.5).
//
// Plain values; any thread. One for each connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/http2_frame_heads.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// In the order of kHttp2Floods.
enum class Http2Cost : std::uint8_t {
  reset,  // streams that were reset, by the client or because of it
  ping,
  settings,
  priority,  // PRIORITY and PRIORITY_UPDATE
  window,    // WINDOW_UPDATE
  empty,     // DATA without content that ends no stream, or with little for a stream that has ended
  unknown,   // frames of other types
  fields,    // a list of fields far above the limit
  unsent,    // answers to frames that the client does not take
};
inline constexpr std::size_t kHttp2Costs = kHttp2Floods.size();

// "PING frames", for the log.
std::string_view http2_cost_name(Http2Cost cost);

// Nothing: it does some good, its content costs the client enough, or what it leads to is counted.
// `has_stream`: its stream is open.
std::optional<Http2Cost> cost_of(const Http2FrameHead& head, bool has_stream);

class Http2Budget {
 public:
  // Counts one. false: there were too many.
  bool take(Http2Cost cost, std::uint64_t now_ms);
  // A client that takes content has to open windows, and may measure its way. `frames`: so many were sent.
  void content_was_sent(std::uint64_t frames);

 private:
  struct Bucket {
    std::uint32_t level = 0;
    std::uint64_t looked_ms = 0;
  };
  std::array<Bucket, kHttp2Costs> buckets_{};
};

}  // namespace sluice
