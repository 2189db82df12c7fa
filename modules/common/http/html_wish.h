// Whether a client would take an HTML page (RFC 9110 section 12.5.1). Browsers tell by Accept: it names
// text/html when somebody follows a link, and only */* or other types when a page fetches its parts. Pure,
// any thread.
#pragma once

#include <sluice/abi.h>

namespace sluice::files {

enum class HtmlWish : std::uint8_t {
  refused,  // Accept does not cover it, or rules it out
  allowed,  // by a wildcard, or there is no Accept
  named,
};

HtmlWish html_wish(const Request& request);

}  // namespace sluice::files
