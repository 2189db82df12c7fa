// Whether an answer's content may be a dictionary for later ones, and be coded with an earlier one (RFC 9842).
// Pure functions, loop thread.
#pragma once

#include <sluice/filter.h>

#include <string>

namespace sluice::compress {

// Whether there may be dictionaries for this URL: only in secure contexts (section 8), which are https, and the
// client's own host as browsers know it, by its name; and if Cache-Control lets a client use what it has kept,
// for a dictionary has to be fresh, or allowed to be served stale (section 2.2.1).
bool may_have_dictionaries(const Request& request, const AnswerHead& head);

struct DictionaryTerms {
  // As dictionary_pattern has it. Empty: the content is no dictionary, and none is used for it.
  std::string pattern;
  // Of one origin and pattern: contents that are versions of each other. Empty if the pattern is.
  std::string group;
  // The hash of the dictionary that the client has, if the answer may be coded with one; else empty.
  std::string available;
};

// REQUIRES: a status of 200, and that the content may be kept, because it is nobody's own.
DictionaryTerms dictionary_terms(const Request& request, const AnswerHead& head);

}  // namespace sluice::compress
