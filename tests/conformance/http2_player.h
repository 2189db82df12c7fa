// Plays a case of HTTP/2 to a server over a socket, in clear text or over TLS, and judges what comes. One
// thread.
#pragma once

#include <string>

#include "conformance/http2_case.h"
#include "support/http_client.h"

namespace sluice::conformance {

// One sentence about what is wrong; empty if nothing is.
std::string play_http2(const Http2Case& tried, const test::Endpoint& endpoint, bool tls,
                       int timeout_ms = test::kClientTimeoutMs);

}  // namespace sluice::conformance
