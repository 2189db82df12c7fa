// The rules for requests of any protocol (RFC 9110): for the method, the target, and the fields that the server
// itself acts on.
//
// Pure, any thread. A parser adds the rules of its protocol.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/refusal.h"

namespace sluice {

// Method::other if the server does not know the name.
Method method_of(std::string_view name);

// Visible ASCII without '#', because clients do not send a fragment (RFC 9112 section 3.2).
bool is_target(std::string_view text);
// uri-host ":" port, with a port (RFC 9110 section 9.3.6).
bool is_tunnel_target(std::string_view text);
// Refuses a target that the method may not have. REQUIRES: is_target(target).
Refusal judge_method(Method method, std::string_view target);

// The codings of all Transfer-Encoding lines, which together are one list (RFC 9112 section 6.1).
struct Codings {
  bool any = false;
  bool chunked = false;  // must come once, and last
  bool others = false;
  bool broken = false;

  void take(std::string_view list);
};

// The contents of the fields that the server itself acts on.
struct ServerFields {
  unsigned hosts = 0;
  std::string_view host{};
  std::optional<std::uint64_t> length;  // Content-Length, which is less than kUnknownSize
  Codings codings;
  bool close = false;  // of Connection
  bool keep = false;
  bool expects_continue = false;
  bool upgrades = false;       // of Connection
  std::string_view upgrade{};  // of Upgrade; of several lines the first

  // Refuses a line that breaks the grammar of its field, an unknown expectation, and a second Host or
  // Content-Length. In HTTP/1.0, `version` 10, expectations are ignored.
  Refusal take(const std::vector<Field>& fields, std::uint32_t version);

 private:
  Refusal take_line(const Field& field, std::uint32_t version);
};

}  // namespace sluice
