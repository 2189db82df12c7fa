// Reason phrases of status codes (RFC 9110 section 15, IANA's registry), and the server's own error pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// "Not Found"; "Unknown" for a code without a name here.
std::string_view reason_phrase(std::uint32_t status);

// Answers that end with their heads, and need no Content-Length to say so (RFC 9110 sections 15.3.5, 15.4.5).
constexpr bool has_no_content(std::uint32_t status) {
  return status == 204 || status == 304;
}

// Answers that must not have content. An answer of 205 says with a Content-Length of 0 that it has none
// (RFC 9110 section 15.3.6).
constexpr bool forbids_content(std::uint32_t status) {
  return status == 205 || has_no_content(status);
}

// The server's own page for an error: a small HTML page, or text for clients that prefer text. `reason` is a
// sentence without HTML's special characters, or empty.
struct ErrorPage {
  std::string_view type;
  std::string content;
};
ErrorPage error_page(std::uint32_t status, std::string_view reason, bool as_text);

}  // namespace sluice
