#include "http/http2_fields.h"

#include <algorithm>
#include <charconv>

#include "base/kept_memory.h"
#include "base/text.h"
#include "http/authority.h"
#include "http/http_fields.h"
#include "http/http_status.h"
#include "http/request_rules.h"

namespace sluice {
namespace {

constexpr std::size_t kTextKeptMax = 8 * 1024;
constexpr std::size_t kFieldsKeptMax = 64;

constexpr Refusal kLongFields = {431, "The fields of the request are too long together."};

// They describe a connection of HTTP/1.1 (RFC 9113 section 8.2.2).
constexpr std::string_view kOfConnections[] = {"connection", "keep-alive", "proxy-connection",
                                               "transfer-encoding", "upgrade"};

nghttp2_nv make_field(std::string_view name, std::string_view value) {
  // nghttp2 does not write to them.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

}  // namespace

void Http2RequestFields::start() {
  give_back_above(text_, kTextKeptMax);
  give_back_above(cookies_, kTextKeptMax);
  text_.clear();
  cookies_.clear();
  spans_.clear();
  list_size_ = 0;
  too_long_ = false;
  cookie_lines_ = 0;
  std::vector<Field> fields = std::move(head_.fields);
  fields.clear();
  if (fields.capacity() > kFieldsKeptMax) fields.shrink_to_fit();
  head_ = RequestHead{};
  head_.fields = std::move(fields);
  head_.version = kHttp2Version;
  head_.keep_alive = true;
}

void Http2RequestFields::add(std::string_view name, std::string_view value, const Limits& limits) {
  list_size_ += name.size() + value.size() + kFieldCost;
  too_long_ = too_long_ || list_size_ > limits.head_bytes_max || spans_.size() == limits.fields_max;
  if (too_long_) return;
  Span span;
  span.name = static_cast<std::uint32_t>(text_.size());
  text_.append(name);
  span.value = static_cast<std::uint32_t>(text_.size());
  text_.append(value);
  span.end = static_cast<std::uint32_t>(text_.size());
  spans_.push_back(span);
}

Refusal Http2RequestFields::judge(bool has_body, bool secure, const Limits& limits) {
  Pseudo pseudo;
  const Refusal sorted = sort_out(pseudo);
  head_.method_name = pseudo.method;
  head_.method = method_of(pseudo.method);
  // What a proxy has written may be among the fields that are not known, so the others tell nothing.
  if (sorted || too_long_) head_.fields.swap(head_.read_fields);
  if (sorted) return sorted;
  if (too_long_) return pseudo.path.size() > limits.target_bytes_max ? Refusal{414} : kLongFields;
  if (const Refusal refusal = judge_target(pseudo, secure, limits)) return refusal;
  if (const Refusal refusal = judge_host(pseudo)) return refusal;
  join_cookies();
  return judge_body(has_body, limits);
}

// Pseudo-fields come before others, and each at most once (RFC 9113 section 8.3).
Refusal Http2RequestFields::sort_out(Pseudo& pseudo) {
  // Room for the Host field that `judge_host` may add.
  head_.fields.reserve(spans_.size() + 1);
  const std::string_view text = text_;
  for (const Span& span : spans_) {
    const std::string_view name = text.substr(span.name, span.value - span.name);
    const std::string_view value = text.substr(span.value, span.end - span.value);
    if (!name.starts_with(':')) {
      if (const Refusal refusal = take_field(name, value)) return refusal;
      continue;
    }
    if (!head_.fields.empty()) return {400, "A pseudo-field stands behind other fields."};
    std::string_view* part = name == ":method"      ? &pseudo.method
                             : name == ":scheme"    ? &pseudo.scheme
                             : name == ":authority" ? &pseudo.authority
                             : name == ":path"      ? &pseudo.path
                             : name == ":protocol"  ? &pseudo.protocol
                                                    : nullptr;
    if (part == nullptr) return {400, "The request has a pseudo-field that is not known."};
    if (part->data() != nullptr) return {400, "The request has a pseudo-field twice."};
    *part = value;
  }
  pseudo.has_authority = pseudo.authority.data() != nullptr;
  return {};
}

Refusal Http2RequestFields::take_field(std::string_view name, std::string_view value) {
  const bool is_upper = std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (is_upper) return {400, "The name of a field has capital letters."};
  Field field;
  field.name = name;
  field.value = value;
  field.id = field_id(name);
  switch (field.id) {
    case FieldId::te:
      if (!equals_ignoring_case(value, "trailers")) return {400, "The field TE may only say trailers."};
      break;
    case FieldId::cookie:
      ++cookie_lines_;
      break;
    case FieldId::other:
      [[fallthrough]];
    case FieldId::connection:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
      if (std::find(std::begin(kOfConnections), std::end(kOfConnections), name) != std::end(kOfConnections))
        return {400, "The request has a field that only HTTP/1.1 has."};
      break;
    default:
      break;
  }
  head_.fields.push_back(field);
  return {};
}

Refusal Http2RequestFields::judge_target(const Pseudo& pseudo, bool secure, const Limits& limits) {
  if (!is_token(pseudo.method)) return {400, "The method is not a token."};
  const bool is_extended = pseudo.protocol.data() != nullptr;
  if (is_extended && (head_.method != Method::connect || !is_token(pseudo.protocol)))
    return {400, "The request has a protocol, which only CONNECT has, and which has to be a token."};
  if (head_.method == Method::connect && !is_extended) return judge_connect(pseudo);
  head_.upgrade = pseudo.protocol;
  if (pseudo.path.size() > limits.target_bytes_max) return {414};
  head_.target = pseudo.path;
  const bool is_https = equals_ignoring_case(pseudo.scheme, "https");
  if (!is_https && !equals_ignoring_case(pseudo.scheme, "http"))
    return {400, "The scheme is neither http nor https."};
  if (!is_target(pseudo.path) || (pseudo.path.front() != '/' && pseudo.path != "*"))
    return {400, "The path does not begin with a slash."};
  // In clear text https is allowed, because a proxy may have taken the TLS off.
  if (secure && !is_https) return {421, "This connection is for https, and the request for http."};
  return is_extended ? Refusal{} : judge_method(head_.method, head_.target);
}

Refusal Http2RequestFields::judge_connect(const Pseudo& pseudo) {
  if (pseudo.path.data() != nullptr || pseudo.scheme.data() != nullptr)
    return {400, "CONNECT has neither a scheme nor a path."};
  head_.target = pseudo.authority;
  return judge_method(head_.method, head_.target);
}

// The authority takes the place of the Host field, and a differing one makes the request malformed (RFC 9113
// section 8.3.1).
Refusal Http2RequestFields::judge_host(const Pseudo& pseudo) {
  unsigned hosts = 0;
  for (const Field& field : head_.fields) {
    if (field.id != FieldId::host) continue;
    if (++hosts > 1) return {400, "The request has more than one Host field."};
    head_.host = field.value;
  }
  if (!pseudo.has_authority) {
    if (hosts == 0) return {400, "The request has neither an authority nor a Host field."};
    return is_host_field(head_.host) ? Refusal{}
                                     : Refusal{400, "The Host field is not a host with an optional port."};
  }
  if (!is_authority(pseudo.authority)) return {400, "The authority is not a host with an optional port."};
  if (hosts == 1 && !equals_ignoring_case(head_.host, pseudo.authority))
    return {400, "The authority and the Host field differ."};
  head_.host = pseudo.authority;
  if (hosts == 1) return {};
  Field field;
  field.name = std::string_view("host");
  field.value = pseudo.authority;
  field.id = FieldId::host;
  head_.fields.insert(head_.fields.begin(), field);
  return {};
}

// The cookies of a request may come in several fields, which modules get as one (RFC 9113 section 8.2.3).
void Http2RequestFields::join_cookies() {
  if (cookie_lines_ < 2) return;
  for (const Field& field : head_.fields) {
    if (field.id != FieldId::cookie) continue;
    if (!cookies_.empty()) cookies_.append("; ");
    cookies_.append(std::string_view(field.value));
  }
  const auto is_cookie = [](const Field& field) { return field.id == FieldId::cookie; };
  const auto first = std::find_if(head_.fields.begin(), head_.fields.end(), is_cookie);
  first->value = cookies_;
  head_.fields.erase(std::remove_if(first + 1, head_.fields.end(), is_cookie), head_.fields.end());
}

Refusal Http2RequestFields::judge_body(bool has_body, const Limits& limits) {
  ServerFields said;
  said.host = head_.host;
  if (const Refusal refusal = said.take(head_.fields, head_.version)) return refusal;
  if (said.length.value_or(0) > limits.body_bytes_max) return {413, "The body is too long."};
  head_.body_size = has_body ? said.length.value_or(kUnknownSize) : 0;
  head_.expects_continue = said.expects_continue;
  return {};
}

void Http2ResponseFields::add(std::string_view name, std::string_view value) {
  fields_.push_back(make_field(name, value));
}

void Http2ResponseFields::add_lines(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t colon = lines.find(':');
    const std::size_t end = lines.find('\r', colon);
    const std::size_t begin = names_.size();
    names_.append(lines, 0, colon);
    for (char* c = names_.data() + begin; c != names_.data() + names_.size(); ++c)
      if (*c >= 'A' && *c <= 'Z') *c = static_cast<char>(*c - 'A' + 'a');
    // ": " stands before the value, and "\r\n" behind it.
    add(std::string_view(names_).substr(begin), lines.substr(colon + 2, end - colon - 2));
    lines.remove_prefix(end + 2);
  }
}

std::span<const nghttp2_nv> Http2ResponseFields::of(std::string_view lines, std::uint32_t status) {
  fields_.clear();
  names_.clear();
  names_.reserve(lines.size());
  std::to_chars(status_, status_ + sizeof(status_), status);
  if (status != 0) add(":status", {status_, sizeof(status_)});
  add_lines(lines);
  return fields_;
}

std::span<const nghttp2_nv> Http2ResponseFields::of(const ResponseHead& head) {
  fields_.clear();
  names_.clear();
  names_.reserve(head.fields.size() + head.site_fields.size());  // so that it does not move
  std::to_chars(status_, status_ + sizeof(status_), head.status);
  add(":status", {status_, sizeof(status_)});
  if (!head.hides_server) add("server", "sluice");
  add("date", head.date);
  add_lines(head.site_fields);
  add_lines(head.fields);
  if (head.size != kUnknownSize && !has_no_content(head.status)) {
    const auto end = std::to_chars(size_, size_ + sizeof(size_), head.size).ptr;
    add("content-length", {size_, static_cast<std::size_t>(end - size_)});
  }
  return fields_;
}

}  // namespace sluice
