#include "http/request_rules.h"

#include <algorithm>

#include "http/authority.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

// 1*DIGIT (RFC 9110 section 8.6); nullopt if the number does not fit.
std::optional<std::uint64_t> length_of(std::string_view text) {
  const auto length = parse_decimal(text);
  return length == kUnknownSize ? std::nullopt : length;
}

}  // namespace

Method method_of(std::string_view name) {
  struct Known {
    std::string_view name;
    Method method;
  };
  constexpr Known kMethods[] = {
      {"GET", Method::get},     {"HEAD", Method::head},   {"POST", Method::post},
      {"PUT", Method::put},     {"DELETE", Method::del},  {"OPTIONS", Method::options},
      {"PATCH", Method::patch}, {"TRACE", Method::trace}, {"CONNECT", Method::connect},
  };
  for (const Known& known : kMethods) {
    if (known.name == name) return known.method;
  }
  return Method::other;
}

bool is_target(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool is_tunnel_target(std::string_view text) {
  const std::size_t colon = text.find_last_of(":]");
  return is_authority(text) && colon < text.size() - 1 && text[colon] == ':';
}

Refusal judge_method(Method method, std::string_view target) {
  if (method == Method::connect) {
    if (!is_tunnel_target(target)) return {400, "The target of CONNECT has to be a host and a port."};
    return {405, "This server is not a proxy."};
  }
  if (target == "*" && method != Method::options) return {400, "Only OPTIONS may have the target *."};
  return {};
}

void Codings::take(std::string_view list) {
  any = true;
  for (bool more = true; more;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view coding = trimmed(list.substr(0, comma));
    more = comma < list.size();
    list.remove_prefix(std::min(comma + 1, list.size()));
    broken = broken || chunked || coding.empty();
    if (equals_ignoring_case(coding, "chunked")) {
      chunked = true;
    } else {
      others = true;
    }
  }
}

Refusal ServerFields::take(const std::vector<Field>& fields, std::uint32_t version) {
  for (const Field& field : fields) {
    if (const Refusal refusal = take_line(field, version)) return refusal;
  }
  return {};
}

Refusal ServerFields::take_line(const Field& field, std::uint32_t version) {
  const std::string_view value = field.value;
  switch (field.id) {
    case FieldId::host:
      if (++hosts > 1) return {400, "The request has more than one Host field."};
      if (!is_host_field(value)) return {400, "The Host field is not a host with an optional port."};
      host = value;
      break;
    case FieldId::content_length:
      if (length) return {400, "The request has more than one Content-Length."};
      length = length_of(value);
      if (!length) return {400, "The Content-Length is not a number of bytes."};
      break;
    case FieldId::transfer_encoding:
      codings.take(value);
      break;
    case FieldId::connection:
      close = close || list_has(value, "close");
      keep = keep || list_has(value, "keep-alive");
      upgrades = upgrades || list_has(value, "upgrade");
      break;
    case FieldId::upgrade:
      if (upgrade.empty()) upgrade = value;
      break;
    case FieldId::expect:
      if (version == 10) break;
      if (!equals_ignoring_case(value, "100-continue"))
        return {417, "The only expectation that this server can meet is 100-continue."};
      expects_continue = true;
      break;
    default:
      break;
  }
  return {};
}

}  // namespace sluice
