// What coding does to an answer's head: which answers may be coded, the lines that caches and clients need, and
// the conditions of clients that have coded content. Loop thread; owns nothing but its settings.
//
// A coded representation has a tag of its own: the coding stands inside the quotes, "abc" becomes W/"abc-zstd".
// It is weak, because the bytes depend on when content was there, and on the level. The mark of a content that
// was coded with a dictionary names that, too: W/"abc-dcz-0123456789abcdef". A cache holds several, and a
// client can decode one of them only. Whoever answers behind the filter knows the plain tag only, so
// If-None-Match is judged here, too.
#pragma once

#include <sluice/filter.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/http/content_coding.h"

namespace sluice::compress {

// Which answers are coded, by the options.
struct Wanted {
  std::vector<std::string> types;  // patterns beside the built-in ones
  std::uint64_t size_min = 1;      // where the size is known
  files::Codings codings;          // the server's order
};

// Whether content of this type becomes smaller by coding: text, and formats that are not coded themselves.
bool is_compressible(std::string_view type);

// "abc" with "br" gives W/"abc-br". A malformed tag stays as it is.
std::string coded_tag(std::string_view tag, std::string_view mark);

class CodedHead {
 public:
  CodedHead(const Wanted& wanted, const Request& request, AnswerHead& head)
      : wanted_(wanted), request_(request), head_(head) {}

  // Whether another Accept-Encoding may get another answer.
  bool depends_on_coding() const;
  // The coding for this client; identity if the answer is not to be coded. REQUIRES: depends_on_coding().
  files::Coding coding() const;
  // What names this content, until it or its tag changes, so that it may be kept when it is coded; empty if it
  // may not, because it has no strong tag, is for one user, depends on more of the request, or comes without a
  // size. REQUIRES: vary() was not called yet.
  std::string key() const;
  // Adds a field of requests to Vary.
  void vary(std::string_view name);
  // Whether the client has the content already that this mark is in the tag of. REQUIRES: a status of 200.
  bool is_known_as(std::string_view mark) const;
  // Makes the answer a 304 for the coded content.
  void become_not_modified(std::string_view mark);
  // The lines of coded content. REQUIRES: the transform or body is put.
  void become_coded(std::string_view coding, std::string_view mark);

 private:
  bool reads() const { return request_.method == Method::get || request_.method == Method::head; }
  bool is_codable() const;
  bool forbids_change() const;
  bool is_for_one_user() const;
  void set_tag(std::string_view mark);

  const Wanted& wanted_;
  const Request& request_;
  AnswerHead& head_;
};

}  // namespace sluice::compress
