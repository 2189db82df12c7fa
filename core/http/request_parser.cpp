#include "http/request_parser.h"

#include <algorithm>

#include "base/kept_memory.h"
#include "http/http_fields.h"
#include "http/request_rules.h"

namespace sluice {
namespace {

// No registered method has a longer name.
constexpr std::size_t kMethodMax = 32;
// A chunk with one byte of content has five bytes of framing.
constexpr std::uint64_t kFramingPerContentMax = 8;

constexpr Refusal kBrokenLine = {400, "The request line is not a method, a target and a version."};
constexpr Refusal kBareLineEnd = {400, "Every line has to end with CR LF and must not have another CR."};
constexpr Refusal kBrokenChunks = {400, "The chunks of the body break their grammar."};
constexpr Refusal kLongBody = {413, "The body is longer than this server allows."};
constexpr Refusal kLongTarget = {414, "The target is longer than this server allows."};
constexpr Refusal kLongHead = {431, "The head is longer, or has more fields, than this server allows."};
constexpr Refusal kOtherVersion = {505, "This server speaks HTTP/1.1."};

// The request line without its CRLF; empty if the CRLF has not come yet.
std::string_view first_line(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  return end == std::string_view::npos ? std::string_view() : bytes.substr(0, end);
}

// The part of a request line that is or becomes its target. The line may be incomplete.
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
    parser.value_open_ = true;  // for an empty value, too
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
  // judge_request_line judges the version: 1.2 is answered as 1.1, and 2.0 with 505.
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
  // Bytes beyond the limit are ignored, so that the answer does not depend on the pieces in which they came.
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
  if (const Refusal refusal = judge_head(bytes.substr(0, size))) return refuse(refusal);
  return {Outcome::complete, {}, size};
}

RequestParser::HeadResult RequestParser::judge_limits(std::string_view bytes) const {
  if (target_.size > limits_.target_bytes_max) return refuse(kLongTarget);
  if (!head_done_ && bytes.size() == limits_.head_bytes_max)
    return refuse(spans_.empty() ? kLongTarget : kLongHead);
  return {Outcome::incomplete};
}

RequestParser::HeadResult RequestParser::refuse_llhttp_error(llhttp_errno_t error, std::string_view bytes) {
  const std::string_view read =
      bytes.substr(0, static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - base_));
  if (target_of(read.substr(line_begin_)).size() > limits_.target_bytes_max) return refuse(kLongTarget);
  if (too_many_fields_) return refuse(kLongHead);
  const bool in_line =
      error == HPE_INVALID_METHOD || error == HPE_INVALID_CONSTANT || error == HPE_INVALID_VERSION;
  return in_line ? refuse_line(bytes) : refuse({400, "The request is not an HTTP/1.1 message."});
}

// llhttp stops at the first invalid byte of the request line. The status to answer with depends on the whole
// line.
RequestParser::HeadResult RequestParser::refuse_line(std::string_view bytes) {
  line_refused_ = true;
  const std::string_view line_on = bytes.substr(line_begin_);
  const std::size_t method_size = std::min(line_on.find(' '), line_on.size());
  if (!is_token(line_on.substr(0, method_size)) || method_size > kMethodMax) return refuse(kBrokenLine);
  const std::string_view line = first_line(line_on);
  if (line.empty()) {
    if (line_on.find('\n') != std::string_view::npos) return refuse(kBareLineEnd);
    return judge_limits(bytes);
  }
  const LineParts parts = split_line(line);
  if (!is_target(parts.target) || !is_version(parts.version)) return refuse(kBrokenLine);
  return refuse(parts.version[5] == '1' ? Refusal{501, "This server does not know the method."}
                                        : kOtherVersion);
}

Refusal RequestParser::judge_head(std::string_view head) {
  if (const Refusal refusal = judge_limits(head).refusal) return refusal;
  if (const Refusal refusal = judge_line_ends(head)) return refusal;
  if (const Refusal refusal = judge_request_line(head)) return refusal;
  if (const Refusal refusal = judge_fields(head)) return refusal;
  return judge_framing();
}

Refusal RequestParser::judge_line_ends(std::string_view bytes) const {
  // Every line ends with CRLF and has no other CR (RFC 9112 section 2.2). No line is folded (section 5.2).
  for (std::size_t at = line_begin_; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos || end == at || bytes[end - 1] != '\r') return kBareLineEnd;
    if (bytes.find('\r', at) != end - 1) return kBareLineEnd;
    at = end + 1;
    if (at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t'))
      return {400, "A field line may not begin with white space."};
  }
  return {};
}

Refusal RequestParser::judge_request_line(std::string_view bytes) {
  head_.line = first_line(bytes.substr(line_begin_));
  const LineParts parts = split_line(head_.line);
  if (!is_token(parts.method) || !is_target(parts.target) || !is_version(parts.version)) return kBrokenLine;
  if (parts.version[5] != '1') return kOtherVersion;
  head_.method_name = parts.method;
  head_.method = method_of(parts.method);
  head_.target = parts.target;
  head_.version = parts.version[7] == '0' ? 10 : 11;
  return judge_method(head_.method, head_.target);
}

Refusal RequestParser::judge_fields(std::string_view bytes) {
  head_.fields.clear();
  for (const FieldSpan& span : spans_) {
    Field field;
    const std::string_view name = bytes.substr(span.name.begin, span.name.size);
    std::string_view value = bytes.substr(span.value.begin, span.value.size);
    value = trimmed(value);  // llhttp leaves the blanks at its end
    // No space stands between name and colon (RFC 9112 section 5.1).
    if (!is_token(name) || bytes.substr(span.name.begin + span.name.size, 1) != ":" || !is_field_value(value))
      return {400, "A field line is not a name, a colon and a value."};
    field.name = name;
    field.value = value;
    field.id = field_id(name);
    head_.fields.push_back(field);
  }
  return {};
}

Refusal RequestParser::judge_framing() {
  ServerFields said;
  if (const Refusal refusal = said.take(head_.fields, head_.version)) return refusal;
  // HTTP/1.1 has to have one Host (RFC 9112 section 3.2).
  if (said.hosts == 0 && head_.version == 11) return {400, "The request has no Host field."};
  const Codings& codings = said.codings;
  if (codings.any) {
    // A body has one framing. It has a known end only if chunked is the last coding (section 6.3).
    if (said.length) return {400, "The request has both a Content-Length and a Transfer-Encoding."};
    if (head_.version == 10) return {400, "HTTP/1.0 has no Transfer-Encoding."};
    if (codings.broken || !codings.chunked) return {400, "The last transfer coding has to be chunked, once."};
    if (codings.others) return {501, "The only transfer coding that this server knows is chunked."};
  }
  if (said.length.value_or(0) > limits_.body_bytes_max) return kLongBody;
  head_.body_size = codings.any ? kUnknownSize : said.length.value_or(0);
  head_.host = said.host;
  head_.keep_alive = !said.close && (head_.version == 11 || said.keep);
  head_.expects_continue = said.expects_continue;
  // Without its option in Connection the field was not meant for this server, and HTTP/1.0 has neither (RFC
  // 9110 section 7.8).
  head_.upgrade = said.upgrades && head_.version == 11 ? said.upgrade : std::string_view();
  return {};
}

void RequestParser::describe_refused(std::string_view bytes, RequestHead& head) const {
  head = {};
  if (asks_for_head(bytes)) head.method = Method::head;
  std::string_view rest = bytes;
  rest.remove_prefix(std::min(rest.find_first_not_of("\r\n"), rest.size()));
  head.line = rest = rest.substr(0, rest.find_first_of("\r\n"));
  head.method_name = take_part(rest, " ");
  head.target = take_part(rest, " ");
  collect_fields(bytes, head.read_fields);
}

// Up to the first that is broken, or has not come whole.
void RequestParser::collect_fields(std::string_view bytes, std::vector<Field>& fields) const {
  for (const FieldSpan& span : spans_) {
    const std::size_t colon = span.name.begin + span.name.size;
    const std::size_t end = span.value.size == 0 ? colon + 1 : span.value.begin + span.value.size;
    if (end > bytes.size() || bytes[colon] != ':') return;
    Field field;
    field.name = bytes.substr(span.name.begin, span.name.size);
    field.value = trimmed(bytes.substr(span.value.begin, span.value.size));
    field.id = field_id(field.name);
    const std::string_view behind = bytes.substr(end);
    const std::size_t line_end = behind.find_first_not_of(" \t");
    if (line_end == std::string_view::npos || (behind[line_end] != '\r' && behind[line_end] != '\n')) return;
    if (!is_token(field.name) || !is_field_value(field.value)) return;
    fields.push_back(field);
  }
}

RequestParser::BodyResult RequestParser::parse_body(std::string_view bytes) {
  if (head_.body_size == kUnknownSize) return take_chunked(bytes);
  const std::uint64_t left = head_.body_size - content_bytes_;
  const std::string_view piece = bytes.substr(0, std::min<std::uint64_t>(left, bytes.size()));
  content_bytes_ += piece.size();
  return {piece.size() == left ? Outcome::complete : Outcome::incomplete, {}, piece.size(), piece};
}

RequestParser::BodyResult RequestParser::take_chunked(std::string_view bytes) {
  const ChunkedBody::Result taken = chunks_.take(bytes);
  if (taken.outcome == ChunkedBody::Outcome::broken) return refuse_body(kBrokenChunks);
  framing_bytes_ += taken.used - taken.piece.size();
  content_bytes_ += taken.piece.size();
  // Framing may have a head's size plus kFramingPerContentMax times the content's size.
  if (framing_bytes_ > limits_.head_bytes_max + kFramingPerContentMax * content_bytes_) {
    return refuse_body(kBrokenChunks);
  }
  if (content_bytes_ > limits_.body_bytes_max ||
      chunks_.chunk_left() > limits_.body_bytes_max - content_bytes_) {
    return refuse_body(kLongBody);
  }
  const bool done = taken.outcome == ChunkedBody::Outcome::done;
  return {done ? Outcome::complete : Outcome::incomplete, {}, taken.used, taken.piece};
}

}  // namespace sluice
