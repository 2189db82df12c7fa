// Text for answers about files: dates, percent-encoding, escaping. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::files {

// An IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Empty outside years 0 to 9999.
std::string http_date(std::int64_t seconds);

// "2024-02-29T12:34:56Z" (RFC 3339). Empty outside years 0 to 9999.
std::string iso_date(std::int64_t seconds);

// Appends a decoded path, encoded as the path of a URI (RFC 3986 section 3.3); slashes stay.
void append_encoded_path(std::string& out, std::string_view path);

// Appends text so that HTML shows it as it is, inside quotes too.
void append_html(std::string& out, std::string_view text);

// Appends a number in lower-case hexadecimal, without leading zeros.
void append_hex(std::string& out, std::uint64_t number);

}  // namespace sluice::files
