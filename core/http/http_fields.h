// Field lines: the names that the server recognises, and the bytes that a line may have (RFC 9110 section 5).
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
// Whether a comma-separated list has this member. Ignores parameters and case (RFC 9110 section 5.6.1).
bool list_has(std::string_view list, std::string_view member);

// 0 to 15, or -1 if `digit` is not a HEXDIG (RFC 5234 appendix B.1) in upper or lower case.
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

FieldId field_id(std::string_view name);

// The limit for all field lines of one answer; a handler that exceeds it is at fault. A redirect repeats the
// request's target, which may be 8 KiB long, and three times as long when it is encoded.
inline constexpr std::size_t kFieldLinesMax = 28 * 1024;

// Null if a module may send the line, else the reason why not. Modules may not send framing and connection
// fields.
const char* why_not_sendable(std::string_view name, std::string_view value);

// Field lines that were validated once, and can be copied into answers.
class FieldBlock {
 public:
  explicit FieldBlock(std::string lines) : lines_(std::move(lines)) {}
  const std::string& lines() const { return lines_; }  // "Name: value\r\n" each

 private:
  std::string lines_;
};

// Removes the lines with this name.
void remove_field(std::string& lines, std::string_view name);

// Appends "name: value\r\n".
void append_field(std::string& lines, std::string_view name, std::string_view value);

}  // namespace sluice
