// Whether a client would take a page (RFC 9110 section 12.5.1), as browsers tell in what they send: Accept
// names text/html where somebody follows a link, and anything where a page fetches its parts. Pure, any thread.
#pragma once

#include <sluice/abi.h>

namespace sluice::files {

enum class HtmlWish : std::uint8_t {
  refused,  // Accept has no place for it, or rules it out
  allowed,  // as good as anything, or there is no Accept
  named,
};

HtmlWish html_wish(const Request& request);

}  // namespace sluice::files
