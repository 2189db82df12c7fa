// Fields of HTTP/2: makes a request's head of its decoded fields, and fields of an answer's head (RFC 9113
// section 8).
//
// Pure; loop thread. nghttp2 decodes and compresses; it has also checked the bytes of each name and value.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/refusal.h"
#include "http/request_head.h"
#include "http/response_head.h"
#include "settings/settings.h"

namespace sluice {

// What Request::version is.
inline constexpr std::uint32_t kHttp2Version = 20;

class Http2RequestFields {
 public:
  // What a field costs besides its bytes (RFC 9113 section 6.5.2).
  static constexpr std::size_t kFieldCost = 32;

  // Begins a new head, and gives memory back beyond what usual requests need.
  void start();
  // The next field. Fields beyond the limits are counted and not kept.
  void add(std::string_view name, std::string_view value, const Limits& limits);
  // How long the list of fields is until now, with what each costs.
  std::size_t list_size() const { return list_size_; }
  // The list is complete. `has_body`: content follows. `secure`: TLS is spoken. The refusal is for the client;
  // head() then has the parts that are known.
  Refusal judge(bool has_body, bool secure, const Limits& limits);
  // Valid until `start`.
  const RequestHead& head() const { return head_; }

 private:
  struct Span {
    std::uint32_t name;  // where it begins in text_
    std::uint32_t value;
    std::uint32_t end;
  };
  struct Pseudo {
    std::string_view method;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
    std::string_view protocol;  // of an extended CONNECT (RFC 8441)
    bool has_authority = false;
  };

  Refusal sort_out(Pseudo& pseudo);
  Refusal take_field(std::string_view name, std::string_view value);
  Refusal judge_target(const Pseudo& pseudo, bool secure, const Limits& limits);
  Refusal judge_connect(const Pseudo& pseudo);
  Refusal judge_host(const Pseudo& pseudo);
  Refusal judge_body(bool has_body, const Limits& limits);
  void join_cookies();

  std::string text_;  // names and values, one behind the other
  std::string cookies_;
  std::vector<Span> spans_;
  std::size_t list_size_ = 0;
  bool too_long_ = false;
  unsigned cookie_lines_ = 0;
  RequestHead head_;
};

// The fields of an answer. Reused for one answer after another.
class Http2ResponseFields {
 public:
  // Valid until the next call, and as long as the texts of `head`.
  std::span<const nghttp2_nv> of(const ResponseHead& head);
  // The same of lines without a head, "Name: value\r\n" each, behind the status if it is not 0.
  std::span<const nghttp2_nv> of(std::string_view lines, std::uint32_t status = 0);

 private:
  void add(std::string_view name, std::string_view value);
  void add_lines(std::string_view lines);

  std::vector<nghttp2_nv> fields_;
  std::string names_;  // in lower case (RFC 9113 section 8.2.1)
  char status_[3];
  char size_[20];
};

}  // namespace sluice
