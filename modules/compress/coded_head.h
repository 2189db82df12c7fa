// What coding does to an answer's head: which answers may be coded, the lines that caches and clients need, and
// the conditions of clients that have coded content. Loop thread; owns nothing but its settings.
//
// A coded representation has a tag of its own: the coding stands inside the quotes, "abc" becomes W/"abc-zstd".
// It is weak, because the bytes depend on when content was there, and on the level. Whoever answers behind the
// filter knows the plain tag only, so If-None-Match is judged here, too.
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
std::string coded_tag(std::string_view tag, files::Coding coding);

class CodedHead {
 public:
  CodedHead(const Wanted& wanted, const Request& request, AnswerHead& head)
      : wanted_(wanted), request_(request), head_(head) {}

  // Whether another Accept-Encoding may get another answer.
  bool depends_on_coding() const;
  // The coding for this client; identity if the answer is not to be coded. REQUIRES: depends_on_coding().
  files::Coding coding() const;
  // Under which coded content of this answer may be kept, until the content or its tag changes; empty if it may
  // not, because it has no strong tag, is for one user, depends on more of the request, or comes without a
  // size.
  std::string key(files::Coding coding) const;
  // Adds Accept-Encoding to Vary.
  void vary();
  // Whether the client has the coded content already. REQUIRES: a status of 200.
  bool is_known_as(files::Coding coding) const;
  // Makes the answer a 304 for the coded content.
  void become_not_modified(files::Coding coding);
  // The lines of coded content. REQUIRES: the transform is put.
  void become_coded(files::Coding coding);

 private:
  bool reads() const { return request_.method == Method::get || request_.method == Method::head; }
  bool is_codable() const;
  bool forbids_change() const;
  bool is_for_one_user() const;
  void set_tag(files::Coding coding);

  const Wanted& wanted_;
  const Request& request_;
  AnswerHead& head_;
};

}  // namespace sluice::compress
