// Percent-encoding of a path (RFC 3986 section 2.1). Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Appends a path for a target or for a field such as Location. Everything except pchar and the slash is
// encoded.
void append_encoded(std::string& out, std::string_view path);

}  // namespace sluice
