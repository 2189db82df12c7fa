// Which of two media types a client would rather have (RFC 9110 section 12.5.1). Pure, any thread; owns
// nothing.
#pragma once

#include <sluice/abi.h>

#include <string_view>

namespace sluice {

// Whether the Accept of the request speaks for `type` more than for `usual`: by weight, among equals by how
// precisely it is named, so that `text/plain, */*` asks for plain text. What is ruled out comes last. No:
// without an Accept, or where that tells no difference.
bool prefers_media_type(const Request& request, std::string_view type, std::string_view usual);

}  // namespace sluice
