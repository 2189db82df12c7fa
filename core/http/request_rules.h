// What a request may say, whatever protocol brings it (RFC 9110): its method, its target, and the fields that
// the server itself acts on.
//
// Pure, any thread. A parser adds the rules of its own protocol.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/refusal.h"

namespace sluice {

// Method::other for a name that the server does not know.
Method method_of(std::string_view name);

// Visible ASCII; a fragment is never sent (RFC 9112 section 3.2).
bool is_target(std::string_view text);
// uri-host ":" port, with a port (RFC 9110 section 9.3.6).
bool is_tunnel_target(std::string_view text);
// Whether the method may have such a target. REQUIRES: is_target(target).
Refusal judge_method(Method method, std::string_view target);

// What the lines of Transfer-Encoding, which are one list, come to (RFC 9112 section 6.1).
struct Codings {
  bool any = false;
  bool chunked = false;  // once, and behind all others
  bool others = false;
  bool broken = false;

  void take(std::string_view list);
};

// What the fields say that the server itself acts on.
struct ServerFields {
  unsigned hosts = 0;
  std::optional<std::uint64_t> length;  // Content-Length, which comes once and is below kUnknownSize
  Codings codings;
  bool close = false;  // of Connection
  bool keep = false;
  bool expects_continue = false;

  // Refuses a line that breaks the grammar of its own field, an expectation that nobody can meet, and what is
  // said twice. HTTP/1.0 knows no expectations: there `version` is 10.
  Refusal take(const std::vector<Field>& fields, std::uint32_t version);

 private:
  Refusal take_line(const Field& field, std::uint32_t version);
};

}  // namespace sluice
