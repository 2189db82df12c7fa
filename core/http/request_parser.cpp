#include "http/request_parser.h"

#include <algorithm>

#include "base/kept_memory.h"
#include "http/authority.h"
#include "http/http_fields.h"

namespace sluice {
namespace {

// A method name longer than this is no method that anyone registered.
constexpr std::size_t kMethodMax = 32;
// A chunk of one byte takes six.
constexpr std::uint64_t kFramingPerContentMax = 8;

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

// The request line without its line end; empty while that has not come.
std::string_view first_line(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  return end == std::string_view::npos ? std::string_view() : bytes.substr(0, end);
}

// What stands in the place of a line's target, however little of the line has come.
std::string_view target_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  line.remove_prefix(std::min(line.find_first_not_of(' ', space), line.size()));
  return line.substr(0, line.find_first_of(" \r\n"));
}

struct LineParts {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

// method SP request-target SP HTTP-version, with single spaces (RFC 9112 section 3).
LineParts split_line(std::string_view line) {
  LineParts parts;
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return parts;
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return parts;
  parts.method = line.substr(0, first);
  parts.target = line.substr(first + 1, second - first - 1);
  parts.version = line.substr(second + 1);
  return parts;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "HTTP/" DIGIT "." DIGIT (RFC 9112 section 2.3).
bool is_version(std::string_view text) {
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

// uri-host ":" port, with a port (RFC 9110 section 9.3.6).
bool is_tunnel_target(std::string_view text) {
  const std::size_t colon = text.find_last_of(":]");
  return is_authority(text) && colon < text.size() - 1 && text[colon] == ':';
}

// What the lines of Transfer-Encoding, which are one list, come to.
struct Codings {
  bool any = false;
  bool chunked = false;  // once, and behind all others
  bool others = false;
  bool broken = false;

  void take(std::string_view list) {
    any = true;
    for (bool more = true; more;) {
      const std::size_t comma = std::min(list.find(','), list.size());
      const std::string_view coding = without_blanks(list.substr(0, comma));
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
};

// Visible ASCII; a fragment is never sent (RFC 9112 section 3.2).
bool is_target(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

}  // namespace

struct RequestParser::Callbacks {
  static RequestParser& self(llhttp_t* llhttp) { return *static_cast<RequestParser*>(llhttp->data); }

  static int url(llhttp_t* llhttp, const char* at, std::size_t size) {
    RequestParser& parser = self(llhttp);
    parser.extend(parser.target_, at, size);
    return 0;
  }
  static int field(llhttp_t* llhttp, const char* at, std::size_t size) {
    RequestParser& parser = self(llhttp);
    if (parser.spans_.empty() || parser.value_open_) {
      parser.spans_.emplace_back();
      parser.value_open_ = false;
    }
    parser.extend(parser.spans_.back().name, at, size);
    return 0;
  }
  static int value(llhttp_t* llhttp, const char* at, std::size_t size) {
    RequestParser& parser = self(llhttp);
    parser.value_open_ = true;
    parser.extend(parser.spans_.back().value, at, size);
    return 0;
  }
  static int value_complete(llhttp_t* llhttp) {
    RequestParser& parser = self(llhttp);
    parser.value_open_ = true;  // also when the value was empty
    parser.too_many_fields_ = parser.spans_.size() > parser.limits_.fields_max;
    return parser.too_many_fields_ ? HPE_USER : 0;
  }
  static int head_complete(llhttp_t* llhttp) {
    self(llhttp).head_done_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_url = url;
      made.on_header_field = field;
      made.on_header_value = value;
      made.on_header_value_complete = value_complete;
      made.on_headers_complete = head_complete;
      return made;
    }();
    return kSettings;
  }
};

RequestParser::RequestParser(const Limits& limits) : limits_(limits) {
  llhttp_init(&llhttp_, HTTP_REQUEST, &Callbacks::settings());
  llhttp_.data = this;
  start();
}

void RequestParser::rest() {
  constexpr std::size_t kFieldsKeptMax = 128;
  start();
  give_back_above(spans_, kFieldsKeptMax);
  give_back_above(head_.fields, kFieldsKeptMax);
}

void RequestParser::start() {
  llhttp_reset(&llhttp_);
  // Versions are judged below: 1.2 is answered as 1.1, 2.0 with 505.
  llhttp_.lenient_flags = LENIENT_VERSION;
  fed_ = 0;
  begun_ = value_open_ = head_done_ = too_many_fields_ = line_refused_ = false;
  line_begin_ = 0;
  target_ = {};
  spans_.clear();
  chunks_.start();
  framing_bytes_ = content_bytes_ = 0;
}

void RequestParser::extend(Span& span, const char* at, std::size_t size) const {
  if (span.size == 0) span.begin = static_cast<std::size_t>(at - base_);
  span.size += size;
}

RequestParser::HeadResult RequestParser::parse_head(std::string_view bytes) {
  base_ = bytes.data();
  // What lies beyond the limit is not looked at, so that the answer does not depend on how the bytes came.
  bytes = bytes.substr(0, limits_.head_bytes_max);
  if (!begun_) {
    // Blank lines before a request are ignored (RFC 9112 section 2.2).
    while (bytes.substr(line_begin_, 2) == "\r\n") line_begin_ += 2;
    begun_ = line_begin_ < bytes.size() && bytes.substr(line_begin_) != "\r";
    fed_ = line_begin_;
    if (!begun_) return judge_limits(bytes);
  }
  if (line_refused_) return refuse_line(bytes);
  const llhttp_errno_t error = llhttp_execute(&llhttp_, bytes.data() + fed_, bytes.size() - fed_);
  if (error == HPE_OK) {
    fed_ = bytes.size();
    return judge_limits(bytes);
  }
  if (!head_done_) return refuse_llhttp_error(error, bytes);
  const auto size = static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - bytes.data());
  const std::string_view head = bytes.substr(0, size);
  for (const std::uint32_t status : {judge_limits(head).status, judge_line_ends(head), judge_request_line(head),
                                     judge_fields(head), judge_framing()}) {
    if (status != 0) return {Outcome::refused, status};
  }
  return {Outcome::complete, 0, size};
}

RequestParser::HeadResult RequestParser::judge_limits(std::string_view bytes) const {
  if (target_.size > limits_.target_bytes_max) return {Outcome::refused, 414};
  if (!head_done_ && bytes.size() == limits_.head_bytes_max) {
    return {Outcome::refused, spans_.empty() ? 414U : 431U};
  }
  return {Outcome::incomplete};
}

RequestParser::HeadResult RequestParser::refuse_llhttp_error(llhttp_errno_t error, std::string_view bytes) {
  const std::string_view read =
      bytes.substr(0, static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - base_));
  if (target_of(read.substr(line_begin_)).size() > limits_.target_bytes_max) return {Outcome::refused, 414};
  if (too_many_fields_) return {Outcome::refused, 431};
  const bool in_line =
      error == HPE_INVALID_METHOD || error == HPE_INVALID_CONSTANT || error == HPE_INVALID_VERSION;
  return in_line ? refuse_line(bytes) : HeadResult{Outcome::refused, 400};
}

// llhttp stops at a line's first strange byte; what to answer is clear when the line has come whole.
RequestParser::HeadResult RequestParser::refuse_line(std::string_view bytes) {
  line_refused_ = true;
  const std::string_view line_on = bytes.substr(line_begin_);
  const std::size_t method_size = std::min(line_on.find(' '), line_on.size());
  if (!is_token(line_on.substr(0, method_size)) || method_size > kMethodMax) return {Outcome::refused, 400};
  const std::string_view line = first_line(line_on);
  if (line.empty()) {
    if (line_on.find('\n') != std::string_view::npos) return {Outcome::refused, 400};
    return judge_limits(bytes);
  }
  const LineParts parts = split_line(line);
  if (!is_target(parts.target) || !is_version(parts.version)) return {Outcome::refused, 400};
  return {Outcome::refused, parts.version[5] == '1' ? 501U : 505U};
}

std::uint32_t RequestParser::judge_line_ends(std::string_view bytes) const {
  // Every line ends with CRLF and holds no other CR (RFC 9112 section 2.2); no line is folded (section 5.2).
  for (std::size_t at = line_begin_; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos || end == at || bytes[end - 1] != '\r') return 400;
    if (bytes.find('\r', at) != end - 1) return 400;
    at = end + 1;
    if (at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t')) return 400;
  }
  return 0;
}

std::uint32_t RequestParser::judge_request_line(std::string_view bytes) {
  const LineParts parts = split_line(first_line(bytes.substr(line_begin_)));
  if (!is_token(parts.method) || !is_target(parts.target)) return 400;
  if (!is_version(parts.version)) return 400;
  if (parts.version[5] != '1') return 505;
  head_.method_name = parts.method;
  head_.method = method_of(parts.method);
  head_.target = parts.target;
  head_.version = parts.version[7] == '0' ? 10 : 11;
  if (head_.method == Method::connect) return is_tunnel_target(head_.target) ? 405 : 400;  // no proxy
  if (head_.target == "*" && head_.method != Method::options) return 400;
  return 0;
}

std::uint32_t RequestParser::judge_fields(std::string_view bytes) {
  head_.fields.clear();
  for (const FieldSpan& span : spans_) {
    Field field;
    const std::string_view name = bytes.substr(span.name.begin, span.name.size);
    std::string_view value = bytes.substr(span.value.begin, span.value.size);
    value = without_blanks(value);  // llhttp leaves those at its end
    // No space stands between name and colon (RFC 9112 section 5.1).
    if (!is_token(name) || bytes.substr(span.name.begin + span.name.size, 1) != ":" || !is_field_value(value))
      return 400;
    field.name = name;
    field.value = value;
    field.id = field_id(name);
    head_.fields.push_back(field);
  }
  return 0;
}

std::uint32_t RequestParser::judge_framing() {
  unsigned hosts = 0;
  unsigned lengths = 0;
  Codings codings;
  bool close = false;
  bool keep = false;
  head_.expects_continue = false;
  for (const Field& field : head_.fields) {
    const std::string_view value = field.value;
    switch (field.id) {
      case FieldId::host:
        ++hosts;
        if (!is_host_field(value)) return 400;
        break;
      case FieldId::content_length:
        ++lengths;
        if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) return 400;
        break;
      case FieldId::transfer_encoding:
        codings.take(value);
        break;
      case FieldId::connection:
        close = close || list_has(value, "close");
        keep = keep || list_has(value, "keep-alive");
        break;
      case FieldId::expect:
        if (head_.version == 10) break;
        if (!equals_ignoring_case(value, "100-continue")) return 417;
        head_.expects_continue = true;
        break;
      default:
        break;
    }
  }
  // One Host in 1.1, at most one in 1.0 (RFC 9112 section 3.2); one way to frame a body (section 6.3).
  if (hosts > 1 || (hosts == 0 && head_.version == 11)) return 400;
  if (lengths > 1 || (codings.any && (lengths == 1 || head_.version == 10))) return 400;
  // Where the body ends is known only if chunked is the last coding (section 6.3); no other is implemented.
  if (codings.any && (codings.broken || !codings.chunked)) return 400;
  if (codings.others) return 501;
  if (lengths == 1 && llhttp_.content_length == kUnknownSize) return 400;
  if (lengths == 1 && llhttp_.content_length > limits_.body_bytes_max) return 413;
  head_.body_size = codings.any ? kUnknownSize : lengths == 1 ? llhttp_.content_length : 0;
  head_.keep_alive = !close && (head_.version == 11 || keep);
  return 0;
}

RequestParser::BodyResult RequestParser::parse_body(std::string_view bytes) {
  if (head_.body_size == kUnknownSize) return take_chunked(bytes);
  const std::uint64_t left = head_.body_size - content_bytes_;
  const std::string_view piece = bytes.substr(0, std::min<std::uint64_t>(left, bytes.size()));
  content_bytes_ += piece.size();
  return {piece.size() == left ? Outcome::complete : Outcome::incomplete, 0, piece.size(), piece};
}

RequestParser::BodyResult RequestParser::take_chunked(std::string_view bytes) {
  const ChunkedBody::Result taken = chunks_.take(bytes);
  if (taken.outcome == ChunkedBody::Outcome::broken) return refuse_body(400);
  framing_bytes_ += taken.used - taken.piece.size();
  content_bytes_ += taken.piece.size();
  // Chunk lines and trailers may not outgrow what they frame by more than a head's worth.
  if (framing_bytes_ > limits_.head_bytes_max + kFramingPerContentMax * content_bytes_) {
    return refuse_body(400);
  }
  if (content_bytes_ > limits_.body_bytes_max ||
      chunks_.chunk_left() > limits_.body_bytes_max - content_bytes_) {
    return refuse_body(413);
  }
  const bool done = taken.outcome == ChunkedBody::Outcome::done;
  return {done ? Outcome::complete : Outcome::incomplete, 0, taken.used, taken.piece};
}

}  // namespace sluice
