// A request's head after a parser has found it valid. Pure data.
#pragma once

#include <sluice/abi.h>

#include <string_view>
#include <vector>

namespace sluice {

// The views point into the caller's buffer.
struct RequestHead {
  Method method = Method::other;
  std::uint32_t version = 11;
  std::string_view method_name;
  std::string_view target;
  std::string_view host;  // the Host field; empty without one
  // The protocols to which the client offers to change (Exchange::offers_upgrade); empty if it does not.
  std::string_view upgrade;
  std::string_view line;  // of HTTP/1: the request line as it came, or as far as it came
  std::vector<Field> fields;
  // Of a refused request: those before the mistake, for the log alone. Others must not trust them, because what
  // a proxy has written may be missing.
  std::vector<Field> read_fields;
  std::uint64_t body_size = 0;  // kUnknownSize when chunked
  bool keep_alive = false;
  bool expects_continue = false;
};

}  // namespace sluice
