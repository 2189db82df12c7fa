// How urgent an answer is for its client (RFC 9218 section 4). Pure, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct Http2Priority {
  static constexpr std::uint8_t kUrgencies = 8;

  std::uint8_t urgency = 3;  // 0 is sent first
  // The client can use parts of the answer, so that it may share the connection with equal ones.
  bool incremental = false;
  bool said = false;  // the client has said anything of it
};

// Of a Priority field or a PRIORITY_UPDATE frame, a dictionary of RFC 8941 section 3.2. What cannot be
// understood is passed over.
Http2Priority parse_priority(std::string_view text);

}  // namespace sluice
