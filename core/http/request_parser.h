// Parses one request after another. llhttp finds the parts of a head, and a strict layer checks what llhttp
// accepts. Bodies end by their length or by ChunkedBody.
//
// The parser owns no bytes. A head lies in one piece in the caller's buffer, which may move between two calls
// while the head is incomplete. Loop thread.
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
    Refusal refusal{};     // if refused; the connection then has to close
    std::size_t size = 0;  // if complete: the head's size in bytes
  };

  // Begins a new request.
  void start();
  // The same, and gives memory back beyond what usual requests need.
  void rest();
  // `bytes` are all bytes of the head that have come, from its first on: more than in the last call.
  HeadResult parse_head(std::string_view bytes);
  // Whether the bytes of a head, complete or not, begin a HEAD request. Its answer has no content, even if the
  // head is refused.
  bool asks_for_head(std::string_view bytes) const { return bytes.substr(line_begin_).starts_with("HEAD "); }
  // Describes a head that is refused, or that has not come whole: its line, the fields before the mistake, and
  // whether it is a HEAD request. `bytes` as for the last parse_head, whose views it has.
  void describe_refused(std::string_view bytes, RequestHead& head) const;
  // Whether no byte of the head has come yet, except for blank lines before it.
  bool at_start() const { return !begun_; }
  // Valid until start(). REQUIRES: parse_head returned complete, and its bytes are still there.
  const RequestHead& head() const { return head_; }

  struct BodyResult {
    Outcome outcome;         // complete: the body has ended
    Refusal refusal{};       // if refused
    std::size_t used = 0;    // bytes taken from the front, framing included
    std::string_view piece;  // the content at the end of these bytes; may be empty
  };
  // Parses the body, from behind the head or the last piece of content to the end of the next piece.
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
  void collect_fields(std::string_view bytes, std::vector<Field>& fields) const;
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
  const char* base_ = nullptr;  // the first byte that is being parsed
  std::size_t fed_ = 0;         // how many bytes of the head llhttp has got
  bool begun_ = false;
  bool value_open_ = false;
  bool head_done_ = false;
  bool too_many_fields_ = false;
  bool line_refused_ = false;   // by llhttp; the status is known when the whole line has come
  std::size_t line_begin_ = 0;  // of the request line, behind blank lines
  Span target_;
  std::vector<FieldSpan> spans_;
  ChunkedBody chunks_;
  std::uint64_t framing_bytes_ = 0;  // in the body until now
  std::uint64_t content_bytes_ = 0;
  RequestHead head_;
};

}  // namespace sluice
