// The status codes that the server knows by name (RFC 9110 section 15, RFC 6585), and its own page for an
// error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// "Not Found"; "Unknown" for a code without a name here.
std::string_view reason_phrase(std::uint32_t status);

// Answers that never have content (RFC 9110 sections 15.3.5, 15.4.5).
constexpr bool has_no_content(std::uint32_t status) {
  return status == 204 || status == 304;
}

// A small HTML page that names the status.
std::string error_page(std::uint32_t status);

}  // namespace sluice
