// Which of two media types a client prefers (RFC 9110 section 12.5.1). Pure, any thread.
#pragma once

#include <sluice/abi.h>

#include <string_view>

namespace sluice {

// Whether the request's Accept prefers `type` to `usual`. The larger weight wins. Of equal weights the more
// precise range wins, so `text/plain, */*` asks for plain text. A type with weight 0 comes last. Returns false
// if there is no Accept, or if it makes no difference.
bool prefers_media_type(const Request& request, std::string_view type, std::string_view usual);

}  // namespace sluice
