// The contents of an answer's head, and how its content ends (RFC 9112 section 6.3). Pure.
#pragma once

#include <sluice/abi.h>

#include <string_view>

namespace sluice {

enum class Framing : std::uint8_t {
  none,     // no content follows: HEAD, 204, 304
  length,   // Content-Length
  chunked,  // Transfer-Encoding: chunked
  close,    // the connection's end is the content's end (HTTP/1.0, upgraded connections)
};

struct ResponseHead {
  std::uint32_t status = 200;
  std::uint32_t request_version = 11;
  bool keep_alive = true;
  std::uint64_t size = 0;        // of the content, or kUnknownSize
  bool head_only = false;        // the request was HEAD
  std::string_view fields;       // "Name: value\r\n" each
  std::string_view site_fields;  // the same, of all answers of the site
  std::string_view date;
  bool hides_server = false;            // the Server line is left out
  std::string_view upgrade{};           // the protocol to which this answer changes; empty if it does not
  std::string_view required_upgrade{};  // of 426: the one that the client should offer; may be empty
};

// For HTTP/1.
Framing framing_of(const ResponseHead& head);

}  // namespace sluice
