// Judges the conditional fields of a request for a representation (RFC 9110 section 13). Pure, any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string_view>

namespace sluice::files {

// The validators that the conditions are compared with.
struct Representation {
  std::string_view etag;   // quoted, with W/ if it is weak; empty for none
  bool has_mtime = false;  // whether the mtime may be used as a validator
  std::int64_t mtime_s = 0;
  std::int64_t now_s = 0;
};

enum class Verdict : std::uint8_t { proceed, not_modified, failed };

struct Conditions {
  Verdict verdict = Verdict::proceed;
  bool range_applies = true;  // If-Range does not forbid a Range
};

// Judges in the order of section 13.2.2. REQUIRES: the answer without conditions would be 200.
Conditions judge_conditions(const Request& request, const Representation& representation);

// Section 8.8.3.2. A malformed tag equals nothing.
bool equal_weakly(std::string_view left, std::string_view right);
bool equal_strongly(std::string_view left, std::string_view right);

// Whether a field of the request, If-None-Match, names this tag, compared weakly. "*" names none.
bool lists_tag(const Request& request, FieldId id, std::string_view etag);

}  // namespace sluice::files
