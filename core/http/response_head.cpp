#include "http/response_head.h"

#include "http/http_status.h"

namespace sluice {

Framing framing_of(const ResponseHead& head) {
  if (!head.upgrade.empty()) return Framing::close;
  if (head.head_only || has_no_content(head.status)) return Framing::none;
  if (head.size != kUnknownSize) return Framing::length;
  return head.request_version == 10 ? Framing::close : Framing::chunked;
}

}  // namespace sluice
