#include "http/http2_priority.h"

#include "base/text.h"

namespace sluice {

Http2Priority parse_priority(std::string_view text) {
  Http2Priority priority;
  while (!text.empty()) {
    std::string_view member = take_part(text, ",");
    member = trimmed(take_part(member, ";"));  // without parameters
    if (member == "i" || member == "i=?1") {
      priority.incremental = priority.said = true;
    } else if (member == "i=?0") {
      priority.incremental = false;
      priority.said = true;
    } else if (member.size() == 3 && member.starts_with("u=") && member[2] >= '0' && member[2] <= '7') {
      priority.urgency = static_cast<std::uint8_t>(member[2] - '0');
      priority.said = true;
    }
  }
  return priority;
}

}  // namespace sluice
