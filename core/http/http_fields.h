// Field lines: which names the server recognises, and what may stand in a line (RFC 9110 section 5).
//
// Pure functions, any thread. Comparisons of names ignore case.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"

namespace sluice {

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text);
// Visible ASCII, obs-text, space and tab; no white space at either end (RFC 9110 section 5.5).
bool is_field_value(std::string_view text);
// Whether a comma-separated list has this member, parameters and case aside (RFC 9110 section 5.6.1).
bool list_has(std::string_view list, std::string_view member);

// 0 to 15, or -1 for what is no HEXDIG (RFC 5234 appendix B.1; small letters, too).
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

FieldId field_id(std::string_view name);

// All field lines of one answer together; a head beyond it is a handler's mistake. A redirect repeats the
// request's target, which may be 8 KiB long and three times as long once it is encoded.
inline constexpr std::size_t kFieldLinesMax = 28 * 1024;

// Null when a module may send the line, else the reason why not: framing and connection fields are the
// server's.
const char* why_not_sendable(std::string_view name, std::string_view value);

// Head lines that were validated once, ready to be copied into an answer.
class FieldBlock {
 public:
  explicit FieldBlock(std::string lines) : lines_(std::move(lines)) {}
  const std::string& lines() const { return lines_; }  // "Name: value\r\n" each

 private:
  std::string lines_;
};

// Removes the lines of that name.
void remove_field(std::string& lines, std::string_view name);

// Appends "name: value\r\n".
void append_field(std::string& lines, std::string_view name, std::string_view value);

}  // namespace sluice
