// The bytes of an answer's head (RFC 9112 section 4), and how its content is framed (section 6.3). Pure.
#pragma once

#include <sluice/abi.h>

#include <string_view>

#include "transport/output.h"

namespace sluice {

enum class Framing : std::uint8_t {
  none,     // no content follows: HEAD, 204, 304
  length,   // Content-Length
  chunked,  // Transfer-Encoding: chunked
  close,    // the connection's end is the content's end (HTTP/1.0)
};

struct ResponseHead {
  std::uint32_t status = 200;
  std::uint32_t request_version = 11;
  bool keep_alive = true;
  std::uint64_t size = 0;   // of the content, kUnknownSize when not known
  bool head_only = false;   // the request was HEAD
  std::string_view fields;  // "Name: value\r\n" each
  std::string_view date;
};

Framing framing_of(const ResponseHead& head);

// The most that write_response_head appends.
std::size_t response_head_size_max(const ResponseHead& head);

// REQUIRES: out.room() >= response_head_size_max(head).
void write_response_head(const ResponseHead& head, Output& out);

}  // namespace sluice
