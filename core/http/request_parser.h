// Parses one request after another: llhttp finds a head's parts, and a strict layer judges what llhttp lets
// through. Bodies are framed by their length or by ChunkedBody.
//
// It owns no bytes: a head lies in one piece in the caller's buffer from its first byte on, and may be moved
// between two calls while it is incomplete. Loop thread.
#pragma once

#include <llhttp.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "http/chunked_body.h"
#include "http/refusal.h"
#include "http/request_head.h"
#include "settings/settings.h"

namespace sluice {

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Outcome : std::uint8_t { incomplete, complete, refused };
  struct HeadResult {
    Outcome outcome;
    Refusal refusal{};     // if refused: the connection's framing is lost
    std::size_t size = 0;  // complete: how many bytes the head took
  };

  // Expects a new request.
  void start();
  // Expects one, and keeps no more memory than usual requests need.
  void rest();
  // `bytes` begins with the head's first byte and holds all of it that has come, more than in the call before.
  HeadResult parse_head(std::string_view bytes);
  // Whether the bytes of a head, complete or not, are those of a HEAD request: whatever is wrong with it, its
  // answer has no content.
  bool asks_for_head(std::string_view bytes) const { return bytes.substr(line_begin_).starts_with("HEAD "); }
  // Nothing of the head has come yet, or only blank lines before it.
  bool at_start() const { return !begun_; }
  // REQUIRES: parse_head was complete, for the same bytes. Lives until start().
  const RequestHead& head() const { return head_; }

  struct BodyResult {
    Outcome outcome;         // complete: the body has ended
    Refusal refusal{};       // if refused
    std::size_t used = 0;    // bytes taken from the front, framing included
    std::string_view piece;  // content at their end; may be empty
  };
  // Goes on behind the head; stops behind each piece of content.
  BodyResult parse_body(std::string_view bytes);

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct FieldSpan {
    Span name;
    Span value;
  };
  struct Callbacks;

  HeadResult refuse_llhttp_error(llhttp_errno_t error, std::string_view bytes);
  HeadResult refuse_line(std::string_view bytes);
  HeadResult judge_limits(std::string_view bytes) const;
  // The strict layer.
  Refusal judge_head(std::string_view head);
  Refusal judge_line_ends(std::string_view bytes) const;
  Refusal judge_request_line(std::string_view bytes);
  Refusal judge_fields(std::string_view bytes);
  Refusal judge_framing();
  static HeadResult refuse(const Refusal& refusal) { return {Outcome::refused, refusal, 0}; }
  static BodyResult refuse_body(const Refusal& refusal) { return {Outcome::refused, refusal, 0, {}}; }
  BodyResult take_chunked(std::string_view bytes);
  void extend(Span& span, const char* at, std::size_t size) const;

  const Limits& limits_;
  llhttp_t llhttp_{};
  const char* base_ = nullptr;  // of the bytes being parsed
  std::size_t fed_ = 0;         // of the head, to llhttp
  bool begun_ = false;
  bool value_open_ = false;
  bool head_done_ = false;
  bool too_many_fields_ = false;
  bool line_refused_ = false;   // by llhttp; the line has to come whole to know why
  std::size_t line_begin_ = 0;  // of the request line, behind blank lines
  Span target_;
  std::vector<FieldSpan> spans_;
  ChunkedBody chunks_;
  std::uint64_t framing_bytes_ = 0;  // of the body so far
  std::uint64_t content_bytes_ = 0;
  RequestHead head_;
};

}  // namespace sluice
