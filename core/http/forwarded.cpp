#include "http/forwarded.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

// What one proxy has written.
struct Hop {
  std::optional<PeerAddress> from;
  std::optional<bool> secure;
};

// Takes the last member off a list. A comma between quotation marks separates nothing. The members that proxies
// write have no backslash, so a quotation mark that it escapes does not occur in them.
std::string_view take_last_member(std::string_view& list) {
  bool quoted = false;
  std::size_t begin = list.size();
  while (begin > 0 && (quoted || list[begin - 1] != ',')) {
    --begin;
    if (list[begin] == '"') quoted = !quoted;
  }
  const std::string_view member = trimmed(list.substr(begin));
  list = list.substr(0, begin > 0 ? begin - 1 : 0);
  return member;
}

bool is_node_port(std::string_view text) {
  constexpr std::size_t kPortSizeMax = 7;  // "_" and an obfuscated one, or 5 digits
  return !text.empty() && text.size() <= kPortSizeMax && std::all_of(text.begin(), text.end(), [](char byte) {
    return (byte >= '0' && byte <= '9') || (lower(byte) >= 'a' && lower(byte) <= 'z') || byte == '_' ||
           byte == '.' || byte == '-';
  });
}

// "192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]", "[2001:db8::1]:4711" or "2001:db8::1". The port is not told
// on: it is one of a connection that this server does not see.
std::optional<PeerAddress> parse_node(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view behind = text.substr(end + 1);
    if (!behind.empty() && (behind.front() != ':' || !is_node_port(behind.substr(1)))) return std::nullopt;
    const auto address = PeerAddress::parse(text.substr(1, end - 1));
    return address && address->family() == AF_INET6 ? std::optional(address->unmapped()) : std::nullopt;
  }
  const std::size_t colon = text.find(':');
  const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
  if (has_port && !is_node_port(text.substr(colon + 1))) return std::nullopt;
  const auto address = PeerAddress::parse(has_port ? text.substr(0, colon) : text);
  return address ? std::optional(address->unmapped()) : std::nullopt;
}

std::optional<bool> parse_scheme(std::string_view text) {
  // Some proxies tell ws or wss of WebSockets.
  if (equals_ignoring_case(text, "https") || equals_ignoring_case(text, "wss")) return true;
  if (equals_ignoring_case(text, "http") || equals_ignoring_case(text, "ws")) return false;
  return std::nullopt;
}

// token / quoted-string (RFC 7239 section 4), without escapes; nullopt for others.
std::optional<std::string_view> parse_value(std::string_view text) {
  if (!text.starts_with('"')) return is_token(text) ? std::optional(text) : std::nullopt;
  if (text.size() < 2 || !text.ends_with('"')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  return text.find_first_of("\"\\") == std::string_view::npos ? std::optional(text) : std::nullopt;
}

// A forwarded-element. One that breaks the grammar tells nothing.
Hop parse_element(std::string_view element) {
  Hop hop;
  bool has_for = false;
  bool has_proto = false;
  while (!element.empty()) {
    std::size_t end = 0;
    for (bool quoted = false; end < element.size() && (quoted || element[end] != ';'); ++end) {
      if (element[end] == '"') quoted = !quoted;
    }
    std::string_view pair = trimmed(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view name = pair.substr(0, equals);
    const auto value = parse_value(pair.substr(equals + 1));
    if (!is_token(name) || !value) return {};
    // No parameter may occur twice.
    if (equals_ignoring_case(name, "for")) {
      if (std::exchange(has_for, true)) return {};
      hop.from = parse_node(*value);
    } else if (equals_ignoring_case(name, "proto")) {
      if (std::exchange(has_proto, true)) return {};
      hop.secure = parse_scheme(*value);
    }
  }
  return hop;
}

// Goes from the peer to the client, as far as trusted proxies tell the way. `read` makes a Hop of a member.
template <typename Read>
void follow(const std::vector<Field>& fields, std::string_view name, const Networks& trusted, Forwarded& found,
            Read read) {
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (!equals_ignoring_case(field->name, name)) continue;
    std::string_view list = field->value;
    while (!list.empty()) {
      const std::string_view member = take_last_member(list);
      if (member.empty()) continue;
      const Hop hop = read(member);
      if (hop.secure) found.secure = hop.secure;
      // A proxy on another host may have clients within its own host, who are none of this one.
      if (!hop.from || (hop.from->is_within_host() && !found.client.is_within_host())) return;
      found.client = *hop.from;
      if (!trusted.has(found.client)) return;
    }
  }
}

// Of several that were told, the last one is the peer's.
std::optional<bool> last_scheme(const std::vector<Field>& fields) {
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (!equals_ignoring_case(field->name, "X-Forwarded-Proto")) continue;
    std::string_view list = field->value;
    return parse_scheme(take_last_member(list));
  }
  return std::nullopt;
}

}  // namespace

Forwarded judge_forwarded(const std::vector<Field>& fields, const TrustedProxies& trusted,
                          const PeerAddress& peer) {
  Forwarded found{peer};
  const Networks& networks = trusted.from.networks;
  if (!networks.has(peer)) return found;
  if (trusted.field == ForwardedField::forwarded) {
    follow(fields, "Forwarded", networks, found, parse_element);
  } else {
    follow(fields, "X-Forwarded-For", networks, found, [](std::string_view member) {
      return Hop{parse_node(member), std::nullopt};
    });
    found.secure = last_scheme(fields);
  }
  return found;
}

}  // namespace sluice
